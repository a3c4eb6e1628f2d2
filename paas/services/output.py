"""Saying the same to a build's log and to a terminal: the log first, the terminal second."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from paas.domain.values.errors import PaasError
from paas.interfaces import Progress, Reword

STEP = "-----> "
DETAIL = "       "
WARNING = " !     "


class Recorded:
    """A Progress that writes to the build's log before it tells the terminal."""

    def __init__(self, terminal: Progress, record: Callable[[bytes], None]) -> None:
        self._terminal = terminal
        self._record = record

    def step(self, text: str) -> None:
        self._record((STEP + text).encode())
        self._terminal.step(text)

    def detail(self, text: str) -> None:
        self._record((DETAIL + text).encode())
        self._terminal.detail(text)

    def warn(self, text: str) -> None:
        self._record((WARNING + text).encode())
        self._terminal.warn(text)

    def output(self, line: bytes) -> None:
        """A line that the buildpack printed, as it is."""
        self._record(line)
        self._terminal.output(line)

    def doing(self, text: str) -> AbstractContextManager[Reword]:
        """For the terminal alone: the log has the time of each line."""
        return self._terminal.doing(text)

    def ask(self, question: str) -> bool:
        return self._terminal.ask(question)

    def record_error(self, error: PaasError) -> None:
        """Keep an error in the log; the terminal gets it from whoever renders errors."""
        for line in error_lines(error):
            self._record((WARNING + line).encode())


class Silent:
    """A Progress that says nothing, for what is only tried."""

    def step(self, text: str) -> None: ...
    def detail(self, text: str) -> None: ...
    def warn(self, text: str) -> None: ...
    def output(self, line: bytes) -> None: ...
    def doing(self, text: str) -> AbstractContextManager[Reword]:  # noqa: ARG002
        return nullcontext(lambda _: None)

    def ask(self, question: str) -> bool:  # noqa: ARG002
        return True


def waiting(progress: Progress) -> Callable[[str], AbstractContextManager[None]]:
    """What Locks.app enters for a wait: says whom this command waits for."""

    @contextmanager
    def told(holder: str) -> Iterator[None]:
        progress.warn(f"Waiting: {holder}. This follows.")
        with progress.doing("waiting for that"):
            yield

    return told


@contextmanager
def telling_failure(progress: Progress, what: str, standing: str) -> Iterator[None]:
    """Where the block fails, say so and how the app stands (services/releases/standing.py)."""
    try:
        yield
    except PaasError:
        progress.step(f"{what}; {standing}")
        raise


def error_lines(error: PaasError) -> list[str]:
    """An error as lines without their mark: the message, then the hint."""
    return [*error.message.splitlines(), *(error.hint or "").splitlines()]
