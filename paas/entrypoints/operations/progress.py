"""The progress of an operation: its client is told when the change is accepted, and no more."""

import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from paas.domain.releases.releases import Release
from paas.domain.values.errors import PaasError
from paas.domain.values.names import ProcessType
from paas.services.progress import Silent

# Less than the minute for which clients of Heroku's API wait.
PATIENCE_S = 25.0
Accepted = Callable[[Release, Mapping[ProcessType, int] | None], None]


class Impatient(Silent):
    """Keeps warnings, and gives up a wait for another change of the app: a client would leave.

    patience_s: how long it may take.
    """

    def __init__(self, patience_s: float = PATIENCE_S) -> None:
        self.warnings: list[str] = []
        self.when_accepted: Accepted | None = None
        self._patience_s = patience_s

    def warn(self, text: str) -> None:
        self.warnings.append(text)

    @contextmanager
    def waiting_for(self, holder: str) -> Iterator[None]:
        """A signal ends flock(2), which has no limit of its own."""

        def ring(_number: int, _frame: object) -> None:
            raise PaasError(
                "app-busy",
                f"Another change of this app is in progress: {holder}.",
                "Try again when it has ended: paas ps:wait",
            )

        before = signal.signal(signal.SIGALRM, ring)
        signal.setitimer(signal.ITIMER_REAL, self._patience_s)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)

    def accepted(self, release: Release, formation: Mapping[ProcessType, int] | None) -> None:
        if self.when_accepted is not None:
            self.when_accepted(release, formation)
