"""The machine under the platform."""

from collections.abc import Sequence
from typing import Protocol

from paas.domain.server.findings import Finding
from paas.interfaces.output import Progress


class Machine(Protocol):
    """The server's own programs, files, rules and disk space; nothing of a single app."""

    def is_up(self) -> bool:
        """Whether the server was started at all."""

    def warnings(self) -> list[Finding]:
        """What an admin should see immediately: programs that are down, disk, inodes. Quick."""

    def findings(self) -> list[Finding]:
        """Everything that is not as it should be, those warnings first; nothing is changed."""

    def mend(self, findings: Sequence[Finding], progress: Progress) -> None:
        """Repair what can be repaired; failures are reported, and found again."""
