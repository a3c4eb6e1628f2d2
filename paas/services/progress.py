"""Progress that is passed on, recorded, or dropped; and the words around a wait or a failure."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext

from paas.domain.releases.releases import Release
from paas.domain.values.errors import PaasError
from paas.domain.values.line_marks import DETAIL, STEP, WARNING, error_lines
from paas.domain.values.names import ProcessType
from paas.interfaces import Progress, Reword


class Forwarded:
    """A Progress that passes everything on to another; a base for variants."""

    def __init__(self, to: Progress) -> None:
        self._to = to

    def step(self, text: str) -> None:
        self._to.step(text)

    def detail(self, text: str) -> None:
        self._to.detail(text)

    def warn(self, text: str) -> None:
        self._to.warn(text)

    def output(self, line: bytes) -> None:
        self._to.output(line)

    def doing(self, text: str) -> AbstractContextManager[Reword]:
        return self._to.doing(text)

    def ask(self, question: str) -> bool:
        return self._to.ask(question)

    def live(self) -> None:
        self._to.live()

    def check(self) -> None:
        self._to.check()

    def waiting_for(self, holder: str) -> AbstractContextManager[None]:
        return self._to.waiting_for(holder)

    def accepted(self, release: Release, formation: Mapping[ProcessType, int] | None) -> None:
        self._to.accepted(release, formation)


class Recorded(Forwarded):
    """Writes to the build's log first, then to the terminal; a build can be cancelled.

    cancelled: raises PaasError once someone has cancelled it.
    """

    def __init__(
        self, to: Progress, record: Callable[[bytes], None], cancelled: Callable[[], None]
    ) -> None:
        super().__init__(to)
        self._record = record
        self._cancelled = cancelled

    def step(self, text: str) -> None:
        self._record((STEP + text).encode())
        super().step(text)

    def detail(self, text: str) -> None:
        self._record((DETAIL + text).encode())
        super().detail(text)

    def warn(self, text: str) -> None:
        self._record((WARNING + text).encode())
        super().warn(text)

    def output(self, line: bytes) -> None:
        self._record(line)
        super().output(line)

    def check(self) -> None:
        self._cancelled()
        super().check()

    def record_error(self, error: PaasError) -> None:
        """Record an error in the log; the terminal gets it where errors are rendered."""
        for line in error_lines(error):
            self._record((WARNING + line).encode())


class Quiet(Forwarded):
    """Passes on only what needs attention: warnings and questions."""

    def step(self, text: str) -> None: ...
    def detail(self, text: str) -> None: ...
    def output(self, line: bytes) -> None: ...

    def doing(self, text: str) -> AbstractContextManager[Reword]:  # noqa: ARG002 - of the Protocol
        return nullcontext(lambda _: None)


class Part(Forwarded):
    """The progress of a part of a command: when that part is live, the command is not done."""

    def live(self) -> None: ...


class Committed(Forwarded):
    """The progress after the commit: nothing can be cancelled any longer."""

    def check(self) -> None: ...


class Silent:
    """A Progress that shows nothing, for trial runs."""

    def step(self, text: str) -> None: ...
    def detail(self, text: str) -> None: ...
    def warn(self, text: str) -> None: ...
    def output(self, line: bytes) -> None: ...
    def live(self) -> None: ...
    def check(self) -> None: ...

    def doing(self, text: str) -> AbstractContextManager[Reword]:  # noqa: ARG002 - of the Protocol
        return nullcontext(lambda _: None)

    def ask(self, question: str) -> bool:  # noqa: ARG002 - of the Protocol
        return True

    def waiting_for(self, holder: str) -> AbstractContextManager[None]:  # noqa: ARG002 - of the Protocol
        return nullcontext()

    def accepted(self, release: Release, formation: Mapping[ProcessType, int] | None) -> None: ...


class Written(Silent):
    """A Progress without a terminal: each message is written as a line."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write

    def step(self, text: str) -> None:
        self._write(text)

    def detail(self, text: str) -> None:
        self._write(text)

    def warn(self, text: str) -> None:
        self._write(text)


def waiting(progress: Progress) -> Callable[[str], AbstractContextManager[None]]:
    """What Locks.app enters for a wait: shows what this command waits for."""

    @contextmanager
    def shown(holder: str) -> Iterator[None]:
        progress.warn(f"Waiting: {holder}. This command runs after that.")
        with progress.waiting_for(holder), progress.doing("waiting for that"):
            yield

    return shown


@contextmanager
def reporting_failure(progress: Progress, what: str, serving: str) -> Iterator[None]:
    """If the block fails, say so and what the app serves now (services/releases/serving.py)."""
    try:
        yield
    except PaasError:
        progress.step(f"{what}; {serving}")
        raise
