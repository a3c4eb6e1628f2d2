"""A datastore's own log: its last lines, and new ones.

The server's uid writes it, so it may have put a link, a pipe or another uid's file there.
"""

import os
import stat
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from paas.adapters.datastores.places import places_of
from paas.adapters.logs.log_files import lines_backwards
from paas.domain.datastores.datastores import Datastore
from paas.paths import Paths

_LINES = 10
_CHUNK_BYTES = 65_536
_POLL_S = 0.2


class DatastoreLogFiles:
    """`DatastoreLogs` of every kind: each writes ``*.log`` files to its own directory."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths

    def tail(self, datastore: Datastore, count: int) -> list[str]:
        """See `DatastoreLogs`."""
        return _last(places_of(self._paths, datastore).log, count, datastore.uid)

    def follow(
        self, datastore: Datastore, count: int, stop: Callable[[], bool]
    ) -> Iterator[list[str]]:
        """See `DatastoreLogs`."""
        directory, uid = places_of(self._paths, datastore).log, datastore.uid
        file = _newest(directory, uid)
        position = file.seek(0, os.SEEK_END) if file is not None else 0
        yield _last(directory, count, uid)
        rest = b""
        while not stop():
            chunk = b""
            if file is not None:
                if os.fstat(file.fileno()).st_size < position:  # emptied, to be written again
                    position = 0
                file.seek(position)
                chunk = file.read(_CHUNK_BYTES)
                position += len(chunk)
            *whole, rest = (rest + chunk).split(b"\n")
            if whole:
                yield [_text(line) for line in whole]
            if chunk:
                continue
            newer = _newest(directory, uid)
            if newer is not None and (file is None or not _same(file, newer)):
                if file is not None:
                    file.close()
                file, position = newer, 0
                continue
            if newer is not None:
                newer.close()
            time.sleep(_POLL_S)
        if file is not None:
            file.close()


def last_lines(directory: Path) -> list[str]:
    """The last lines of a log directory, for messages about a server that does not serve."""
    return _last(directory, _LINES, None)


def _last(directory: Path, count: int, uid: int | None) -> list[str]:
    """The last lines of all files together, oldest first."""
    found: list[str] = []
    for path in _newest_first(directory):
        if len(found) >= count:
            break
        file = _open(path, uid)
        if file is not None:
            with file:
                found += map(_text, islice(lines_backwards(file), count - len(found)))
    return found[::-1]


def _newest(directory: Path, uid: int) -> BinaryIO | None:
    for path in _newest_first(directory):
        if (file := _open(path, uid)) is not None:
            return file
    return None


def _newest_first(directory: Path) -> list[Path]:
    def written_at(path: Path) -> float:
        try:
            return path.lstat().st_mtime
        except FileNotFoundError:
            return 0.0

    return sorted(directory.glob("*.log"), key=written_at, reverse=True)


def _open(path: Path, uid: int | None) -> BinaryIO | None:
    """A file of that uid, opened for reading; None for anything else."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    found = os.fstat(fd)
    if not stat.S_ISREG(found.st_mode) or uid not in (None, found.st_uid):
        os.close(fd)
        return None
    return os.fdopen(fd, "rb", buffering=0)


def _same(one: BinaryIO, other: BinaryIO) -> bool:
    return os.path.sameopenfile(one.fileno(), other.fileno())


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace")
