"""The machine under the platform: what its promises stand on."""

from collections.abc import Sequence
from typing import Protocol

from paas.domain.server.findings import Finding
from paas.interfaces.output import Progress


class Ground(Protocol):
    """The server's own programs, files, rules and room; nothing of a single app."""

    def is_up(self) -> bool:
        """Whether the server was started at all."""

    def warnings(self) -> list[Finding]:
        """What an admin should see at once: programs that are down, disk, inodes. Quick."""

    def findings(self) -> list[Finding]:
        """Everything that is not as it should be, those warnings first; nothing is changed."""

    def mend(self, findings: Sequence[Finding], progress: Progress) -> None:
        """See to those of them that it can; what fails is said, and is found again."""
