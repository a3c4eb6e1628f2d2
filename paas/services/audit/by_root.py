"""The record of what root does without the gate: starting, stopping and installing the server."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from paas.domain.audit.events import DONE, Attempt, End, State, Subject, end_of, via
from paas.domain.people.actors import Actor
from paas.domain.people.origins import Origin
from paas.domain.values.errors import EXIT_FAILED, PaasError
from paas.interfaces import AuditTrail, Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class RootRecord:
    """Records in the audit trail, if it can be written.

    What it records may be what makes a broken server work again, so it goes on without a record,
    with a warning. origin: who became root.
    """

    trail: AuditTrail
    clock: Clock
    origin: Origin
    warn: Callable[[str], None]

    @contextmanager
    def of(self, command: str, *words: str) -> Iterator[None]:
        """Record that root runs this command, and how the block ends."""
        attempt = Attempt(
            user="root",
            via=via(Actor(None), self.origin),
            address=None,
            subject=Subject(),
            command=command,
            words=words,
        )
        at_s = self.clock.monotonic()
        n = self._written(lambda now: self.trail.begin(attempt.fields(now), now))
        end = End(state=State.FAILED, status=EXIT_FAILED)
        try:
            yield
            end = DONE
        except PaasError as error:
            end = end_of(error)
            raise
        finally:
            self._end(attempt, n, end, at_s)

    def _end(self, attempt: Attempt, n: int | None, end: End, begun_s: float) -> None:
        if n is None:
            return
        ms = round((self.clock.monotonic() - begun_s) * 1_000)
        self._written(lambda now: self.trail.end(end.fields(attempt, now, of=n, ms=ms), now))

    def _written(self, write: Callable[[datetime], int]) -> int | None:
        """The number of the line that is written; None, with a warning, if it cannot be."""
        try:
            return write(self.clock.now())
        except PaasError as error:
            self.warn(f"This is not recorded in the audit trail. {error.message}")
            return None
