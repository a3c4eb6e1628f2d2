"""What the services say, the time they see, and the logs."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from paas.domain.watching import Answers


class Narrator(Protocol):
    """Where the platform says what it is doing, in Heroku's vocabulary of output."""

    def step(self, text: str) -> None:
        """Start a step: ``-----> text``."""

    def detail(self, text: str) -> None:
        """A detail of the current step: seven spaces and the text."""

    def warn(self, text: str) -> None:
        """A warning or error: `` !     text``."""

    def raw(self, line: bytes) -> None:
        """A line of a program's own output, as it is."""


class Clock(Protocol):
    """The time, replaced in unit tests."""

    def now(self) -> datetime:
        """The present, in UTC."""

    def monotonic(self) -> float:
        """Seconds that never go backwards."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of an app's log. source: ``app``, ``paas`` or ``router``; process: ``web.1``."""

    at: datetime
    source: str
    process: str
    text: str


class Logs(Protocol):
    """The apps' log files and the builds' output."""

    def write(self, app_id: int, process: str, text: str) -> None:
        """Add a line of the platform itself: ``paas[process]: text``."""

    def write_output(self, app_id: int, process: str, line: bytes) -> None:
        """Add a line that a process printed: ``app[process]: line``."""

    def tail(self, app_id: int, count: int) -> list[LogLine]:
        """The last lines, oldest first, router lines included."""

    def follow(self, app_id: int, stop: Callable[[], bool]) -> Iterator[LogLine]:
        """Lines as they arrive, until stop says so."""

    def instance_tail(self, app_id: int, process: str, count: int) -> list[str]:
        """The last lines that one process printed."""

    def open_build(self, build_id: str) -> Callable[[bytes], None]:
        """A function that appends one line to the build's output."""

    def build_output(self, build_id: str, stop: Callable[[], bool]) -> Iterator[str]:
        """The lines of a build's output, and those that arrive until stop says so."""

    def open_release(self, app_id: int, version: int) -> Callable[[bytes], None]:
        """A function that appends one line to the output of a release's ``release:`` command."""

    def release_output(self, app_id: int, version: int) -> list[str]:
        """The lines that it printed; none where it did not run."""

    def remove(self, app_id: int) -> None: ...


class RequestLog(Protocol):
    """What the proxy logged of requests."""

    def answers(self, app_id: int, since: datetime, ports: set[int]) -> Answers:
        """How the instances on these ports answered since then, as far as it is logged."""
