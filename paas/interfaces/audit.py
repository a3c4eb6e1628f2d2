"""The audit trail as it is kept."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Protocol

from paas.domain.audit.lines import Fields, Verdict


class AuditTrail(Protocol):
    """Lines that are only ever added to, in files of one month each.

    begin and end raise PaasError if they cannot write; then nothing has changed.
    """

    def begin(self, fields: Fields, at: datetime) -> int:
        """Add the line of a change that begins; returns its number.

        Until this process ends, or adds the change's end, the change counts as running.
        """

    def end(self, fields: Fields, at: datetime) -> int:
        """Add the line of the end of the change that its field ``of`` names; returns its number."""

    def is_running(self, n: int) -> bool:
        """Whether the process that began that change lives and has not ended it."""

    def lines(self) -> Iterator[bytes]:
        """All lines, newest first, read lazily. A torn last one, as of a crash, is left out."""

    def follow(self, stop: Callable[[], bool]) -> Iterator[list[bytes]]:
        """Lines that are added from this call on, in batches, perhaps empty, until stop is true."""

    def check(self, *, all_files: bool) -> Verdict:
        """Check the chain, in all files or in the last one."""

    def expire(self, now: datetime) -> None:
        """Delete the files of months that are older than they are to be kept."""
