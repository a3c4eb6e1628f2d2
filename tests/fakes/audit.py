"""The audit trail in memory."""

from collections.abc import Callable, Iterator
from datetime import datetime

from paas.domain.audit.lines import Fields, Verdict, check, follow_on, seal
from paas.domain.values.errors import PaasError


class FakeAuditTrail:
    """interfaces.AuditTrail. failure: what writing raises now. running: the changes that run."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.running: set[int] = set()
        self.failure: Callable[[], PaasError | None] = lambda: None

    def begin(self, fields: Fields, at: datetime) -> int:
        n = self._add(fields)
        self.running.add(n)
        return n

    def end(self, fields: Fields, at: datetime) -> int:
        n = self._add(fields)
        self.running.discard(int(str(fields["of"])))
        return n

    def _add(self, fields: Fields) -> int:
        if (error := self.failure()) is not None:
            raise error
        line, link = seal(follow_on(reversed(self.written)), fields)
        self.written.append(line)
        return link.n

    def is_running(self, n: int) -> bool:
        return n in self.running

    def lines(self) -> Iterator[bytes]:
        return reversed(list(self.written))

    def follow(self, stop: Callable[[], bool]) -> Iterator[list[bytes]]:
        return self._follow(len(self.written), stop)

    def _follow(self, told: int, stop: Callable[[], bool]) -> Iterator[list[bytes]]:
        while not stop():
            batch, told = self.written[told:], len(self.written)
            yield batch

    def check(self, *, all_files: bool) -> Verdict:
        return check((f"line {n}", raw) for n, raw in enumerate(self.written, 1))

    def expire(self, now: datetime) -> None:
        """Nothing here grows old."""
