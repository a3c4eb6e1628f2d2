"""Keeps the logs of datastores' servers small, so that a log cannot fill the disk.

Redis, MariaDB and PgBouncer each write a single file forever, PostgreSQL one for each day. All of
them append, so a file can be copied and emptied while they run; a line written in between is lost.
The server's uid owns the directory, and may put anything there.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from paas.adapters.datastores.pgbouncer.places import PoolerPlaces
from paas.adapters.datastores.places import places_of
from paas.domain.datastores.datastores import Datastore
from paas.paths import Paths

MAX_BYTES = 10 * 1024**2
# What follows the name of the copy; it does not end with .log, so it is not trimmed in turn.
FORMER = ".1"
_CHUNK_BYTES = 1024**2


class DatastoreLogTrimming:
    """Leaves at most MAX_BYTES in each file, and as many in the copy of its former end."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths

    def trim(self, datastore: Datastore) -> int:
        """See `LogTrimming`."""
        found = places_of(self._paths, datastore)
        directories = (found.log, PoolerPlaces(found).log)
        return sum(_trimmed(path, datastore.uid) for at in directories for path in _logs(at))


def _logs(directory: Path) -> Iterator[Path]:
    with suppress(FileNotFoundError):
        yield from sorted(path for path in directory.iterdir() if path.suffix == ".log")


def _trimmed(path: Path, uid: int) -> bool:
    """Whether the file was too large, and is empty now."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False  # a link, or what is none of the server's
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != uid or found.st_size <= MAX_BYTES:
            return False
        with suppress(OSError):  # what the server's uid put in the way must not keep the log
            _copy(fd, found.st_size, path.with_name(path.name + FORMER), uid)
        os.ftruncate(fd, 0)
        return True
    finally:
        os.close(fd)


def _copy(source: int, size_bytes: int, target: Path, uid: int) -> None:
    """Copy its last MAX_BYTES, replacing the former copy."""
    partial = target.with_name(target.name + ".new")
    with suppress(FileNotFoundError):
        partial.unlink()
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    fd = os.open(partial, flags, 0o600)
    try:
        os.fchown(fd, uid, uid)
        at = size_bytes - MAX_BYTES
        while at < size_bytes and (data := os.pread(source, _CHUNK_BYTES, at)):
            os.write(fd, data)
            at += len(data)
    finally:
        os.close(fd)
    partial.rename(target)
