"""Searches a throw-away layer, whose files belong to an app that may be writing them.

It goes from descriptor to descriptor, so that no link leads elsewhere; opens only plain files,
without waiting (O_NONBLOCK: a lease would block us for 45 s); and keeps within bounds.
"""

import os
import stat
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager

from paas.domain.releases.losses import LostFile

ENTRIES_MAX = 20_000
DEPTH_MAX = 20
LIMIT_S = 1.0
# Caches, which programs create again.
PASSED_OVER = frozenset({".cache", "__pycache__"})
_UPPER = "upper"
# Below /proc/PID/root: where launcher/mounts.py shows the layer to root.
_PLACE = ("home", ".scratch", "all")
_PATH = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_SQLITE = b"SQLite format 3\0"
_SQLITE_MIN_BYTES = 100
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
# overlayfs marks what it copied up from the slug like this (its documentation: "Inode properties").
_ORIGIN = "trusted.overlay.origin"


class LiveLayers:
    """`Layers` of interfaces: of processes that run."""

    def databases(self, pid: int) -> Sequence[LostFile]:
        with _scratch(pid) as scratch:
            return databases(scratch) if scratch is not None else ()

    def size_bytes(self, pid: int) -> int:
        with _scratch(pid) as scratch:
            if scratch is None:
                return 0
            found = os.fstatvfs(scratch)
            return (found.f_blocks - found.f_bfree) * found.f_frsize


@contextmanager
def _scratch(pid: int) -> Iterator[int | None]:
    """A descriptor of a process's layer; None if it has ended, or has none."""
    try:
        scratch = layer_of(pid)
    except OSError:
        scratch = None
    try:
        yield scratch
    finally:
        if scratch is not None:
            os.close(scratch)


def layer_of(pid: int) -> int | None:
    """A descriptor of a process's layer; the process's root could be one that the app created.

    But no app can create a directory that root owns. Raises OSError if there is no such process.
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


def databases(scratch: int) -> list[LostFile]:
    """The SQLite files below /app, the largest first, as found within the bounds.

    scratch: a descriptor of the launcher's tmpfs (mounts.py).
    """
    deadline = time.monotonic() + LIMIT_S
    found = []
    with closing(_entries(scratch, _UPPER, "/app", DEPTH_MAX)) as entries:
        for number, (directory, path, status) in enumerate(entries):
            if number >= ENTRIES_MAX or time.monotonic() > deadline:
                break
            if not stat.S_ISREG(status.st_mode) or status.st_size < _SQLITE_MIN_BYTES:
                continue
            if _is_database(directory, path.rpartition("/")[2]):
                found.append(LostFile(path, status.st_blocks * 512, _is_own(directory)))
    return sorted(found, key=lambda file: -file.size_bytes)


def _entries(
    parent: int, name: str, path: str, depth: int
) -> Generator[tuple[int, str, os.stat_result], None, None]:
    """Each entry below a directory, with a descriptor of the directory that it is in."""
    try:
        directory = os.open(name, _DIRECTORY, dir_fd=parent)
    except OSError:
        return
    try:
        with os.scandir(directory) as entries:
            for entry in entries:
                below = f"{path}/{entry.name}"
                try:
                    status = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                yield directory, below, status
                enters = stat.S_ISDIR(status.st_mode) and entry.name not in PASSED_OVER
                if enters and depth > 0:
                    yield from _entries(directory, entry.name, below, depth - 1)
    except OSError:
        return
    finally:
        os.close(directory)


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
    """Whether a directory was created by the instance, not copied up from the slug."""
    try:
        os.getxattr(directory, _ORIGIN)
    except OSError:
        return True
    return False
