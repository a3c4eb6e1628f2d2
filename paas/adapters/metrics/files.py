"""The metrics of each app in a file of a fixed size, with holes where nothing was counted.

A file has two copies of its head, of which the newer whole one counts, and then rings of slots:
of requests, of the load of all processes, and of each process.
"""

import os
import struct
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from paas.adapters.metrics.slots import Rings, rings_bytes
from paas.domain.metrics.figures import (
    CLASSES,
    PROCESSES_MAX,
    Load,
    ProcessTotals,
    Requests,
    Totals,
)
from paas.domain.metrics.latency import BUCKETS
from paas.domain.metrics.resolutions import RESOLUTIONS, Resolution
from paas.interfaces.metrics import Place

_HEAD_BYTES = 4_096
_MAGIC = b"paasmet1"
# Checksum, number of the write, until, whether there is a place, inode, offset, milliseconds.
_HEAD = struct.Struct(f"<8sIQQ?QQQ{len(CLASSES)}Q{BUCKETS}Q")
_NAME_BYTES = 72
_PROCESS = struct.Struct(f"<{_NAME_BYTES}sQQQQ")
_REQUEST_NUMBERS = len(CLASSES) + BUCKETS + 1
_LOAD_NUMBERS = 4
_SLOTS_AT = 2 * _HEAD_BYTES
_LOADS_AT = _SLOTS_AT + rings_bytes(_REQUEST_NUMBERS)
SIZE_BYTES = _LOADS_AT + (1 + PROCESSES_MAX) * rings_bytes(_LOAD_NUMBERS)


@dataclass(slots=True)
class _Head:
    """writes: how often it was written. names: of the processes; "" where there is none."""

    writes: int = 0
    until: int = 0
    place: Place | None = None
    requests: Requests = field(default_factory=Requests)
    names: list[str] = field(default_factory=lambda: [""] * PROCESSES_MAX)
    processes: dict[str, ProcessTotals] = field(default_factory=dict)


class FileAppMetrics:
    """`MetricsWriter` over an open file."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._head = _read_head(fd)

    def totals(self) -> Totals:
        """See `AppMetrics`."""
        return Totals(self._head.until, self._head.requests, self._head.processes)

    def place(self) -> Place | None:
        """See `MetricsWriter`."""
        return self._head.place

    def requests(self, resolution: Resolution, start: int, end: int) -> dict[int, Requests]:
        """See `AppMetrics`."""
        return {
            at: _requests(numbers)
            for at, numbers in self._request_rings().between(resolution, start, end)
        }

    def loads(
        self, resolution: Resolution, start: int, end: int, process: str | None = None
    ) -> dict[int, Load]:
        """See `AppMetrics`."""
        if process is not None and process not in self._head.names:
            return {}
        rings = self._load_rings(process)
        return {at: Load(*numbers) for at, numbers in rings.between(resolution, start, end)}

    def count(
        self,
        until: int,
        place: Place | None,
        requests: Mapping[int, Requests],
        loads: Mapping[str, Load],
        total: Load,
    ) -> None:
        """See `MetricsWriter`.

        The head is written first: what a crash in the middle loses is not counted twice.
        """
        head = self._head
        head.until, head.place = until, place
        for one in requests.values():
            head.requests.add(one)
        kept = [name for name in loads if self._take(name, until)]
        for name in kept:
            load, known = loads[name], head.processes[name]
            known.cpu_ms += load.cpu_ms
            known.restarts += load.restarts
            known.memory_kib = load.memory_kib
        _write_head(self._fd, head)
        for at, one in requests.items():
            _add_requests(self._request_rings(), at, one, until)
        _add_load(self._load_rings(None), until, total)
        for name in kept:
            _add_load(self._load_rings(name), until, loads[name])

    def _take(self, name: str, now: int) -> bool:
        """Give a process a place, perhaps that of one that is gone; False: all are taken."""
        head = self._head
        if name not in head.processes:
            oldest = min(head.names, key=lambda one: head.processes[one].seen if one else 0)
            if oldest and head.processes[oldest].seen >= head.until - RESOLUTIONS[0].kept_s:
                return False
            head.processes.pop(oldest, None)
            head.names[head.names.index(oldest)] = name
            head.processes[name] = ProcessTotals()
        head.processes[name].seen = now
        return True

    def _request_rings(self) -> Rings:
        return Rings(self._fd, _SLOTS_AT, _REQUEST_NUMBERS)

    def _load_rings(self, process: str | None) -> Rings:
        if process is None:
            return Rings(self._fd, _LOADS_AT, _LOAD_NUMBERS)
        number = 1 + self._head.names.index(process)
        offset = _LOADS_AT + number * rings_bytes(_LOAD_NUMBERS)
        return Rings(self._fd, offset, _LOAD_NUMBERS, zlib.crc32(process.encode()))


def _requests(numbers: list[int]) -> Requests:
    classes = len(CLASSES)
    return Requests(numbers[:classes], numbers[classes : classes + BUCKETS], numbers[-1])


def _add_requests(rings: Rings, at: int, found: Requests, until: int) -> None:
    """until: now. What is older than a ring goes back must not take the place of what is newer."""
    for resolution in RESOLUTIONS:
        begin = resolution.begin(at)
        if not until - resolution.kept_s < begin <= until:
            continue
        present = rings.read(resolution, begin)
        both = found if present is None else _requests(present)
        if present is not None:
            both.add(found)
        rings.write(resolution, begin, [*both.classes, *both.latencies, both.total_ms])


def _add_load(rings: Rings, until: int, found: Load) -> None:
    """until: the end of the time that the load is of."""
    for resolution in RESOLUTIONS:
        begin = resolution.begin(until - 1)
        present = rings.read(resolution, begin)
        both = Load(*present) if present is not None else Load()
        both.add(found)
        numbers = (both.cpu_ms, both.memory_kib, both.restarts, both.instances)
        rings.write(resolution, begin, numbers)


def _read_head(fd: int) -> _Head:
    """The newer of the whole ones; an empty one if there is none."""
    found = [_parsed(os.pread(fd, _HEAD_BYTES, copy * _HEAD_BYTES)) for copy in (0, 1)]
    return max((one for one in found if one is not None), key=lambda x: x.writes, default=_Head())


def _parsed(data: bytes) -> _Head | None:
    if len(data) < _HEAD_BYTES or data[:8] != _MAGIC:
        return None
    _, checksum, writes, until, has_place, inode, offset, *rest = _HEAD.unpack_from(data)
    if checksum != zlib.crc32(data[12:]):
        return None
    total_ms, classes, latencies = rest[0], rest[1 : 1 + len(CLASSES)], rest[1 + len(CLASSES) :]
    head = _Head(
        writes,
        until,
        (inode, offset) if has_place else None,
        Requests(list(classes), list(latencies), total_ms),
    )
    for number in range(PROCESSES_MAX):
        raw, *numbers = _PROCESS.unpack_from(data, _HEAD.size + number * _PROCESS.size)
        if name := raw.rstrip(b"\0").decode():
            head.names[number] = name
            head.processes[name] = ProcessTotals(*numbers)
    return head


def _write_head(fd: int, head: _Head) -> None:
    head.writes += 1
    place = head.place or (0, 0)
    data = bytearray(_HEAD_BYTES)
    numbers = [head.requests.total_ms, *head.requests.classes, *head.requests.latencies]
    has_place = head.place is not None
    _HEAD.pack_into(data, 0, _MAGIC, 0, head.writes, head.until, has_place, *place, *numbers)
    for number, name in enumerate(head.names):
        if name:
            one = head.processes[name]
            of_it = (one.cpu_ms, one.memory_kib, one.restarts, one.seen)
            _PROCESS.pack_into(data, _HEAD.size + number * _PROCESS.size, name.encode(), *of_it)
    data[8:12] = struct.pack("<I", zlib.crc32(data[12:]))
    os.pwrite(fd, data, head.writes % 2 * _HEAD_BYTES)


class MetricsDirectory:
    """`MetricsFiles` below a directory; a file is named by its app's id."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @contextmanager
    def reading(self, app_id: int) -> Iterator[FileAppMetrics | None]:
        """See `MetricsFiles`."""
        try:
            fd = os.open(self._path(app_id), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            yield None
            return
        try:
            yield FileAppMetrics(fd)
        finally:
            os.close(fd)

    @contextmanager
    def writing(self, app_id: int) -> Iterator[FileAppMetrics]:
        """See `MetricsFiles`."""
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            fd = os.open(self._path(app_id), flags, 0o600)
        except FileNotFoundError:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            fd = os.open(self._path(app_id), flags, 0o600)
        try:
            if os.fstat(fd).st_size != SIZE_BYTES:
                os.ftruncate(fd, SIZE_BYTES)
            yield FileAppMetrics(fd)
        finally:
            os.close(fd)

    def apps(self) -> set[int]:
        """See `MetricsFiles`."""
        names = [path.name for path in self._directory.glob("*")]
        return {int(name) for name in names if name.isascii() and name.isdecimal()}

    def remove(self, app_id: int) -> None:
        """See `MetricsFiles`."""
        self._path(app_id).unlink(missing_ok=True)

    def _path(self, app_id: int) -> Path:
        return self._directory / str(app_id)
