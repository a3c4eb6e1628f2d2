"""Clock, log and narration in memory."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from paas.domain.logs.drains import Drain
from paas.domain.logs.loglines import EVERY_LINE, LogFilter
from paas.domain.releases.regression import Answers
from paas.domain.releases.releases import Release
from paas.domain.values.errors import PaasError
from paas.domain.values.names import ProcessType
from paas.interfaces import LogLine

# After whatever a test does.
LATER = datetime(2027, 1, 1, tzinfo=UTC)


class FakeClock:
    """Time that passes only while someone sleeps."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        self.seconds += 0.001
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


class FakeProgress:
    """A Progress that remembers."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.done: list[str] = []
        self.asked: list[str] = []
        self.agrees = True
        self.when_live: Callable[[], None] = lambda: None
        self.when_accepted: Callable[[], None] = lambda: None
        self.cancelled: PaasError | None = None

    def step(self, text: str) -> None:
        self.lines.append("-----> " + text)

    def detail(self, text: str) -> None:
        self.lines.append("       " + text)

    def warn(self, text: str) -> None:
        self.lines.append(" !     " + text)

    def output(self, line: bytes) -> None:
        self.lines.append(line.decode())

    def ask(self, question: str) -> bool:
        self.asked.append(question)
        return self.agrees

    def live(self) -> None:
        self.when_live()

    @contextmanager
    def waiting_for(self, holder: str) -> Iterator[None]:
        yield

    def accepted(self, release: Release, formation: Mapping[ProcessType, int] | None) -> None:
        self.when_accepted()

    def check(self) -> None:
        if self.cancelled is not None:
            raise self.cancelled

    @contextmanager
    def doing(self, text: str) -> Iterator[Callable[[str], None]]:
        self.done.append(text)
        yield self.done.append


class FakeLogs:
    """Logs in lists."""

    def __init__(self) -> None:
        self.lines: list[tuple[int, str, str]] = []
        self.printed: dict[str, list[str]] = {}
        self.builds: dict[str, list[bytes]] = {}
        self.released: dict[tuple[int, int], list[bytes]] = {}

    def write(self, app_id: int, process: str, text: str) -> None:
        self.lines.append((app_id, process, text))

    def write_output(self, app_id: int, process: str, line: bytes) -> None:
        self.printed.setdefault(process, []).append(line.decode())

    def tail(self, app_id: int, count: int, wanted: LogFilter = EVERY_LINE) -> list[LogLine]:
        now = datetime(2026, 1, 1, tzinfo=UTC)
        mine = [line for line in self.lines if line[0] == app_id]
        lines = [LogLine(now, "paas", process, text) for _, process, text in mine]
        return [line for line in lines if wanted.takes(line)][-count:]

    def follow(
        self,
        app_id: int,
        stop: Callable[[], bool],
        wanted: LogFilter = EVERY_LINE,
        count: int = 0,
    ) -> Iterator[LogLine]:
        yield from self.tail(app_id, 1, wanted)

    def resumable(
        self,
        app_id: int,
        stop: Callable[[], bool],
        wanted: LogFilter,
        count: int,
        after: str,
    ) -> Iterator[tuple[str, LogLine]]:
        lines = self.tail(app_id, count, wanted)
        marked = [(str(number), line) for number, line in enumerate(lines, 1)]
        yield from marked[int(after) if after.isdecimal() else 0 :]

    def instance_tail(
        self, app_id: int, process: str, count: int, *, ended: bool = False
    ) -> list[str]:
        return self.printed.get(process, [])[-count:]

    def open_build(self, build_id: str) -> Callable[[bytes], None]:
        return self.builds.setdefault(build_id, []).append

    def build_output(self, build_id: str, stop: Callable[[], bool]) -> Iterator[str]:
        yield from (line.decode() for line in self.builds.get(build_id, []))

    def open_release(self, app_id: int, version: int) -> Callable[[bytes], None]:
        return self.released.setdefault((app_id, version), []).append

    def release_output(self, app_id: int, version: int) -> list[str]:
        return [line.decode() for line in self.released.get((app_id, version), [])]

    def release_lines(self, app_id: int, version: int, stop: Callable[[], bool]) -> Iterator[str]:
        stop()
        yield from self.release_output(app_id, version)

    def remove(self, app_id: int) -> None:
        self.lines = [line for line in self.lines if line[0] != app_id]


class FakeDrainProcess:
    """Whether the process runs, and what it was told of."""

    def __init__(self) -> None:
        self.runs = False
        self.begun: list[str] = []

    def begin(self, drain: Drain) -> None:
        self.begun.append(drain.token)

    def keep(self, *, wanted: bool) -> None:
        self.runs = wanted


class FakeRequestLog:
    """RequestLog of what a test notes. reads: how often it was read."""

    def __init__(self) -> None:
        self._noted: list[tuple[int, datetime, int, Answers]] = []
        self.reads = 0

    def note(self, port: int, answers: Answers, at: datetime = LATER, app_id: int = 1) -> None:
        """The instance on this port answered so at that moment."""
        self._noted.append((app_id, at, port, answers))

    def answers(
        self, app_id: int, since: datetime, ports: set[int], until: datetime | None = None
    ) -> Answers:
        self.reads += 1
        found = [
            answers
            for id, at, port, answers in self._noted
            if id == app_id and port in ports and at >= since and (until is None or at < until)
        ]
        return Answers(sum(a.count for a in found), sum(a.errors for a in found))
