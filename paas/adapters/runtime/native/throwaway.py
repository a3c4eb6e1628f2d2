"""Looking through a throw-away layer, whose files are an app's, perhaps while it writes them.

Only from descriptor to descriptor, so that no link leads elsewhere; nothing is opened that is not a
plain file, nor waited for (O_NONBLOCK: a lease would hold us up for 45 s); and within bounds.
"""

import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from paas.domain.releases.losses import Layer, LostFile

ENTRIES_MAX = 20_000
DEPTH_MAX = 20
LIMIT_S = 1.0
# What is made anew by itself.
PASSED_OVER = frozenset({".cache", "__pycache__"})
_UPPER = "upper"
# Below /proc/PID/root: where launcher/mounts.py shows the layer to root.
_PLACE = ("home", ".scratch", "all")
_PATH = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_SQLITE = b"SQLite format 3\0"
_SQLITE_MIN_BYTES = 100
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
# overlayfs marks so what it copied up from the slug (its documentation: "Inode properties").
_ORIGIN = "trusted.overlay.origin"


@dataclass(slots=True)
class _Walk:
    """What has been seen so far."""

    deadline: float
    entries: int = 0
    complete: bool = True
    total_bytes: int = 0
    largest: LostFile | None = None
    databases: list[LostFile] = field(default_factory=list)

    def goes_on(self) -> bool:
        """Count an entry; False where it is one too many."""
        self.entries += 1
        if self.entries > ENTRIES_MAX or time.monotonic() > self.deadline:
            self.complete = False
        return self.complete


class LiveLayers:
    """`Layers` of domain.interfaces: of processes that run."""

    def of(self, pid: int) -> Layer:
        try:
            scratch = layer_of(pid)
        except OSError:  # it has ended, or was not started by the launcher
            scratch = None
        if scratch is None:
            return Layer()
        try:
            return survey(scratch)
        finally:
            os.close(scratch)


def layer_of(pid: int) -> int | None:
    """A descriptor of the layer of a process, whose root could be one that the app has made.

    But no app makes a directory that is root's. Raises OSError where there is no such process.
    """
    fd = os.open(f"/proc/{pid}/root", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    for part in _PLACE:
        try:
            below = os.open(part, _PATH, dir_fd=fd)
        except OSError:
            os.close(fd)
            return None
        os.close(fd)
        fd = below
        if os.fstat(fd).st_uid != 0:
            os.close(fd)
            return None
    return fd


def survey(scratch: int) -> Layer:
    """What was written below /app. scratch: a descriptor of the launcher's tmpfs (mounts.py)."""
    walk = _Walk(time.monotonic() + LIMIT_S)
    try:
        upper = os.open(_UPPER, _DIRECTORY, dir_fd=scratch)
    except OSError:
        return Layer()
    _look(walk, upper, "/app", 0)
    walk.databases.sort(key=lambda file: -file.size_bytes)
    return Layer(tuple(walk.databases), walk.largest, walk.total_bytes, walk.complete)


def _look(walk: _Walk, directory: int, path: str, depth: int) -> None:
    """One directory; closes it."""
    try:
        own = _is_own(directory)
        for entry, status in _entries(walk, directory):
            name = f"{path}/{entry}"
            if stat.S_ISREG(status.st_mode):
                file = LostFile(name, status.st_blocks * 512, own)
                walk.total_bytes += file.size_bytes
                if walk.largest is None or file.size_bytes > walk.largest.size_bytes:
                    walk.largest = file
                if status.st_size >= _SQLITE_MIN_BYTES and _is_database(directory, entry):
                    walk.databases.append(file)
            elif stat.S_ISDIR(status.st_mode) and entry not in PASSED_OVER:
                _enter(walk, directory, entry, name, depth + 1)
    finally:
        os.close(directory)


def _enter(walk: _Walk, directory: int, entry: str, path: str, depth: int) -> None:
    if depth > DEPTH_MAX:
        walk.complete = False
        return
    try:
        below = os.open(entry, _DIRECTORY, dir_fd=directory)
    except OSError:
        return
    _look(walk, below, path, depth)


def _entries(walk: _Walk, directory: int) -> Iterator[tuple[str, os.stat_result]]:
    try:
        with os.scandir(directory) as found:
            for entry in found:
                if not walk.goes_on():
                    return
                try:
                    yield entry.name, entry.stat(follow_symlinks=False)
                except OSError:
                    continue
    except OSError:
        return


def _is_database(directory: int, name: str) -> bool:
    try:
        fd = os.open(name, _FILE, dir_fd=directory)
    except OSError:
        return False
    try:
        plain = stat.S_ISREG(os.fstat(fd).st_mode)
        return plain and os.pread(fd, len(_SQLITE), 0) == _SQLITE
    except OSError:
        return False
    finally:
        os.close(fd)


def _is_own(directory: int) -> bool:
    """Whether a directory was made by the instance, and not copied up from the slug."""
    try:
        os.getxattr(directory, _ORIGIN)
    except OSError:
        return True
    return False
