"""What the services say, the time they see, and the logs."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from paas.domain.logs.drains import Drain
from paas.domain.logs.loglines import EVERY_LINE, LogFilter, LogLine
from paas.domain.releases.regression import Answers
from paas.domain.releases.releases import Release
from paas.domain.values.names import ProcessType

Reword = Callable[[str], None]


class Progress(Protocol):
    """Where a change reports its progress, in Heroku's vocabulary of output."""

    def step(self, text: str) -> None:
        """Start a step: ``-----> text``."""

    def detail(self, text: str) -> None:
        """A detail of the current step: seven spaces and the text."""

    def warn(self, text: str) -> None:
        """A warning or error: `` !     text``."""

    def output(self, line: bytes) -> None:
        """A line of a program's own output, as it is."""

    def doing(self, text: str) -> AbstractContextManager[Reword]:
        """Show that something is in progress while the block runs, if that takes over a second.

        text: what, as in ``Still waiting for web.1``: ``waiting for web.1``. The yielded function
        replaces the text.
        """

    def ask(self, question: str) -> bool:
        """Whether the user at the terminal says yes; True if nobody can be asked."""

    def live(self) -> None:
        """The change is live: its client need not wait any longer."""

    def check(self) -> None:
        """Raises PaasError if the change has been cancelled; often called until the switch."""

    def waiting_for(self, holder: str) -> AbstractContextManager[None]:
        """Entered while the change waits for its turn. Raises PaasError where it waits no longer.

        holder: whose turn it is, and since when.
        """

    def accepted(self, release: Release, formation: Mapping[ProcessType, int] | None) -> None:
        """The change was checked and recorded; what is left may take long, and may fail.

        release, formation: what is to run; None: the formation is as it was.
        """


class Clock(Protocol):
    """The time, replaced in unit tests."""

    def now(self) -> datetime:
        """The current time, in UTC."""

    def monotonic(self) -> float:
        """Seconds that never go backwards."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class Logs(Protocol):
    """The apps' log files and the builds' output."""

    def write(self, app_id: int, process: str, text: str) -> None:
        """Add a line from the platform itself: ``paas[process]: text``."""

    def write_output(self, app_id: int, process: str, line: bytes) -> None:
        """Add a line that a process printed: ``app[process]: line``."""

    def tail(self, app_id: int, count: int, wanted: LogFilter = EVERY_LINE) -> list[LogLine]:
        """The last matching lines, oldest first, router lines included."""

    def follow(
        self,
        app_id: int,
        stop: Callable[[], bool],
        wanted: LogFilter = EVERY_LINE,
        count: int = 0,
    ) -> Iterator[LogLine]:
        """The last lines, then new ones until stop returns true: none twice, none missed."""

    def resumable(
        self,
        app_id: int,
        stop: Callable[[], bool],
        wanted: LogFilter,
        count: int,
        after: str,
    ) -> Iterator[tuple[str, LogLine]]:
        """As `follow`, each with a mark: given as after, it continues behind that line.

        after: if it is empty or not a mark, it starts from the beginning.
        """

    def instance_tail(
        self, app_id: int, process: str, count: int, *, ended: bool = False
    ) -> list[str]:
        """The last lines that one process printed."""

    def open_build(self, build_id: str) -> Callable[[bytes], None]:
        """A function that appends one line to the build's output."""

    def build_output(self, build_id: str, stop: Callable[[], bool]) -> Iterator[str]:
        """The lines of a build's output, and new ones until stop returns true."""

    def open_release(self, app_id: int, version: int) -> Callable[[bytes], None]:
        """A function that appends one line to the output of a release's ``release:`` command."""

    def release_output(self, app_id: int, version: int) -> list[str]:
        """The lines that it printed; none if it did not run."""

    def release_lines(self, app_id: int, version: int, stop: Callable[[], bool]) -> Iterator[str]:
        """The same, and new lines until stop returns true."""

    def remove(self, app_id: int) -> None: ...


class RequestLog(Protocol):
    """What the proxy logged of requests."""

    def answers(
        self, app_id: int, since: datetime, ports: set[int], until: datetime | None = None
    ) -> Answers:
        """How the instances on these ports answered since then, as far as the log shows.

        until: only before that.
        """


class DrainProcess(Protocol):
    """The process that forwards logs to the drains in the store."""

    def begin(self, drain: Drain) -> None:
        """Record where the app's log ends now: what comes after it is forwarded."""

    def keep(self, *, wanted: bool) -> None:
        """Start or stop it; no error if nothing changes."""
