"""Telling somebody that something did not happen, in addition to the logs of apps."""

from typing import Protocol

from paas.domain.server.alarms import Told


class AlarmCommand(Protocol):
    """The command that the operator has set."""

    def is_set(self) -> bool:
        """Whether there is one."""

    def run(self, text: str) -> None:
        """Run it with this on its standard input. Raises PaasError if it fails."""

    def told(self) -> Told:
        """What it was told, including before a restart of this process."""

    def note(self, told: Told) -> None:
        """Remember that."""
