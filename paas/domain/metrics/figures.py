"""What is counted of an app within a time: its requests, and the load of its processes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from paas.domain.metrics.latency import BUCKETS, bucket_of

# Classes of status codes.
CLASSES = ("2xx", "3xx", "4xx", "5xx")
# An app's processes that have figures of their own; those beyond count for the app only.
PROCESSES_MAX = 16
# An upgraded connection (WebSockets) is open for as long as both sides like: no latency.
_SWITCHING = 101


@dataclass(slots=True)
class Requests:
    """classes: how many of each of `CLASSES`. latencies: by bucket. total_ms: of all together."""

    classes: list[int] = field(default_factory=lambda: [0] * len(CLASSES))
    latencies: list[int] = field(default_factory=lambda: [0] * BUCKETS)
    total_ms: int = 0

    def count(self, status: int, milliseconds: int) -> None:
        """Count one request, unless its status is none of a response."""
        if status == _SWITCHING:
            self.classes[0] += 1
            return
        kind = status // 100 - 2
        if 0 <= kind < len(CLASSES):
            self.classes[kind] += 1
            self.latencies[bucket_of(milliseconds)] += 1
            self.total_ms += milliseconds

    def add(self, other: "Requests") -> None:
        """Count those of another time, too."""
        self.classes = _sums(self.classes, other.classes)
        self.latencies = _sums(self.latencies, other.latencies)
        self.total_ms += other.total_ms

    def __bool__(self) -> bool:
        return any(self.classes)


def _sums(one: Sequence[int], other: Sequence[int]) -> list[int]:
    return [x + y for x, y in zip(one, other, strict=True)]


@dataclass(slots=True)
class Load:
    """cpu_ms: CPU time. memory_kib and instances: the highest. restarts: how many."""

    cpu_ms: int = 0
    memory_kib: int = 0
    restarts: int = 0
    instances: int = 0

    def add(self, other: "Load") -> None:
        """The load of another time, too."""
        self.cpu_ms += other.cpu_ms
        self.memory_kib = max(self.memory_kib, other.memory_kib)
        self.restarts += other.restarts
        self.instances = max(self.instances, other.instances)

    def beside(self, other: "Load") -> "Load":
        """Both at the same time."""
        return Load(
            self.cpu_ms + other.cpu_ms,
            self.memory_kib + other.memory_kib,
            self.restarts + other.restarts,
            self.instances + other.instances,
        )


@dataclass(frozen=True, slots=True)
class Reading:
    """The counters of an instance at some time. exits: how often it has ended."""

    cpu_ms: int
    memory_kib: int
    exits: int

    def since(self, former: "Reading | None") -> Load:
        """The load since an earlier reading; None: since it was started."""
        cpu_ms, exits = (former.cpu_ms, former.exits) if former is not None else (0, 0)
        return Load(
            max(0, self.cpu_ms - cpu_ms), self.memory_kib, max(0, self.exits - exits), instances=1
        )


@dataclass(slots=True)
class ProcessTotals:
    """All that a process (``web.1``) used so far. seen: when it was last seen (Unix time)."""

    cpu_ms: int = 0
    memory_kib: int = 0
    restarts: int = 0
    seen: int = 0


@dataclass(frozen=True, slots=True)
class Totals:
    """All that was counted of an app so far. until: up to when (Unix time)."""

    until: int
    requests: Requests
    processes: Mapping[str, ProcessTotals]
