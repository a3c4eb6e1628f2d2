"""Counts requests from the routers' logs, as they grow; implements `RequestCounter`.

A log that has not changed costs one stat(2); what was read is not read again, also after a restart.
"""

import os
import re
from pathlib import Path

from paas.domain.metrics.figures import Requests
from paas.domain.metrics.resolutions import FINEST
from paas.interfaces.metrics import Place

CHUNK_BYTES = 65_536
# A busy server's 10 seconds are a tenth of that.
TURN_BYTES = 32 * 1024**2
_ROUTER_LOG = "router.log"
# As nginx-templates/http.conf.j2 and entrypoints/logd/router.py write it. What clients choose is
# quoted, with quotes in it escaped, or without blanks: it cannot look like the fields that follow.
_LINE = re.compile(
    rb'^(\d{1,12})\.\d+ router: method=\S* path="[^"\\\n]*(?:\\.[^"\\\n]*)*" host=\S* '
    rb'status=(\d{3}) bytes=\S* upstream="[^"\n]*" client=\S* connect="[^"\n]*" '
    rb'(?:upstream_time="[^"\n]*" )?service=(\d{1,9})\.(\d{3}) ',
    re.MULTILINE,
)


class RouterCounter:
    """logs: state/logs. files: how many of an app's there may be, with those that were rotated."""

    def __init__(self, logs: Path, files: int, turn_bytes: int = TURN_BYTES) -> None:
        self._logs = logs
        self._files = files
        self._turn_bytes = turn_bytes
        # Files that another one has replaced, as seen by the last call: by now nobody writes there.
        self._replaced: dict[int, int] = {}

    def start(self, app_id: int) -> Place:
        """See `RequestCounter`."""
        found = _state(self._path(app_id, 0))
        return found if found is not None else (0, 0)

    def count(self, app_id: int, place: Place) -> tuple[dict[int, Requests], Place]:
        """See `RequestCounter`."""
        found: dict[int, Requests] = {}
        left = self._turn_bytes
        present = _state(self._path(app_id, 0))
        if present is None or present == place:
            return found, place
        later = self._later(app_id, place)
        for number, (path, inode, size) in enumerate(later):
            offset = place[1] if inode == place[0] and place[1] <= size else 0
            end = _count(path, inode, offset, left, found)
            left -= end - offset
            place = (inode, end)
            if end + CHUNK_BYTES < size or left <= 0:
                return found, place
            if number == len(later) - 2 and self._replaced.get(app_id) != inode:
                self._replaced[app_id] = inode
                return found, place
        self._replaced.pop(app_id, None)
        return found, place

    def _later(self, app_id: int, place: Place) -> list[tuple[Path, int, int]]:
        """The log's files from the one of the place on, the oldest first."""
        chain: list[tuple[Path, int, int]] = []
        for number in range(self._files + 1):
            path = self._path(app_id, number)
            state = _state(path)
            if state is None or any(state[0] == inode for _, inode, _ in chain):
                continue
            chain.insert(0, (path, *state))
            if state[0] == place[0]:
                break
        return chain

    def _path(self, app_id: int, number: int) -> Path:
        name = f"{_ROUTER_LOG}.{number}" if number else _ROUTER_LOG
        return self._logs / str(app_id) / name


def _state(path: Path) -> tuple[int, int] | None:
    """A file's inode and size; None if there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size


def _count(path: Path, inode: int, offset: int, most: int, found: dict[int, Requests]) -> int:
    """Count the whole lines from an offset on, at most about so many bytes; where it ended."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return offset
    try:
        if os.fstat(fd).st_ino != inode:  # renamed meanwhile: the next call finds it
            return offset
        stop = offset + most
        while offset < stop:
            data = os.pread(fd, CHUNK_BYTES, offset)
            end = data.rfind(b"\n") + 1
            if end:
                tally(data[:end], found)
                offset += end
            elif len(data) == CHUNK_BYTES:  # no line of a proxy is that long
                offset += len(data)
            else:
                break
        return offset
    finally:
        os.close(fd)


def tally(lines: bytes, found: dict[int, Requests]) -> None:
    """Count the requests of these lines, by slots; lines of another form are skipped."""
    step = FINEST.step_s
    for at, status, seconds, thousandths in _LINE.findall(lines):
        begin = int(at) // step * step
        requests = found.get(begin)
        if requests is None:
            requests = found[begin] = Requests()
        requests.count(int(status), int(seconds) * 1_000 + int(thousandths))
