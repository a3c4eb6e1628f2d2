"""Reading log files: from the end backwards, and as they grow."""

import os
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from paas.domain.logs.loglines import LogLine

# How long a process that has a renamed file open may still write to it.
ROTATED_S = 1.0
_CHUNK_BYTES = 65_536
# What a follower takes at once.
_MOST_BYTES = 16 * _CHUNK_BYTES
_LINE = re.compile(r"(\S+) (?:(app|paas)\[([^\]]*)\](?: v([0-9]+))?|(router)): (.*)")


# A file, by its inode, and how far it was read. There was no file: 0 and 0.
Place = tuple[int, int]


class Followed:
    """One growing file, read from its current end; after a rename it is read to its end.

    at: read from there instead, through the files that were begun since. Where that file is gone,
    all that is left is newer.
    """

    def __init__(self, path: Path, at: Place | None = None) -> None:
        self._path = path
        self._rest = b""
        self._replaced_at: float | None = None
        self._newer: list[BinaryIO] = []
        # Whether more may be there already.
        self.is_behind = False
        self._file = self._open(path)
        self.inode, self.start = at or (0, 0)
        if self._file is not None and at is None:
            self.inode = _inode(self._file)
            self.start = self._file.seek(0, os.SEEK_END)
        self.place: Place = (self.inode, self.start)
        if at is not None:
            self._return_to(at)
        # Begun since then.
        self.later = frozenset(_inode(file) for file in self._newer)

    def _return_to(self, at: Place) -> None:
        inode, offset = at
        while self._file is not None:
            if _inode(self._file) == inode:
                self._file.seek(min(offset, os.fstat(self._file.fileno()).st_size))
                return
            self._newer.insert(0, self._file)
            self._file = self._open(self._path.with_name(f"{self._path.name}.{len(self._newer)}"))
        if self._newer:
            self._take_next()

    def _take_next(self) -> None:
        self._file = self._newer.pop(0)
        self.place = (_inode(self._file), 0)

    @staticmethod
    def _open(path: Path) -> BinaryIO | None:
        try:
            return path.open("rb", buffering=0)
        except OSError:
            return None

    def new_lines(self) -> list[LogLine]:
        """The complete lines since the last call, at most a few thousand."""
        return [line for line, _ in self.new_entries()]

    def new_entries(self) -> list[tuple[LogLine, Place]]:
        """The same, each with the place behind it."""
        self.is_behind = False
        if self._file is None:
            self._file = self._open(self._path)
            if self._file is None:
                return []
            self.place = (_inode(self._file), 0)
        data = self._file.read(_MOST_BYTES) or b""
        if not data and self._has_ended(self._file):
            data = self._file.read(_MOST_BYTES) or b""  # written between the read and the question
            if not data:
                self._file.close()
                self._file, self._rest, self._replaced_at = None, b"", None
                if self._newer:
                    self._take_next()
                return self.new_entries()
        self.is_behind = len(data) == _MOST_BYTES
        *whole, self._rest = (self._rest + data).split(b"\n")
        found = []
        for raw in whole:
            self.place = (self.place[0], self.place[1] + len(raw) + 1)
            if (line := parse_line(raw)) is not None:
                found.append((line, self.place))
        return found

    def _has_ended(self, file: BinaryIO) -> bool:
        """Whether nothing writes to it any longer, and another file has taken its place."""
        if self._newer:
            return True
        opened = os.fstat(file.fileno())
        try:
            present = self._path.stat()
        except OSError:
            return False
        if present.st_ino == opened.st_ino:
            if present.st_size < file.tell():  # truncated by someone
                file.seek(0)
                self.place = (opened.st_ino, 0)
            return False
        if self._replaced_at is None:
            self._replaced_at = time.monotonic()
        return time.monotonic() - self._replaced_at >= ROTATED_S

    def close(self) -> None:
        """Close the files."""
        for file in (self._file, *self._newer):
            if file is not None:
                file.close()
        self._file, self._newer = None, []


def _inode(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_ino


def parse_line(raw: bytes) -> LogLine | None:
    """A parsed line of a log file, or None if it is malformed."""
    match = _LINE.fullmatch(raw.decode("utf-8", "replace"))
    if match is None:
        return None
    stamp, source, process, release, router, text = match.groups()
    try:
        at = parse_stamp(stamp)
    except ValueError:
        return None
    return LogLine(at, source or router, process or "", text, int(release) if release else None)


def parse_stamp(stamp: str) -> datetime:
    """The time of a line: ISO 8601, or Nginx's seconds since 1970. Raises ValueError."""
    if "T" in stamp:
        return datetime.fromisoformat(stamp).astimezone(UTC)
    return datetime.fromtimestamp(float(stamp), UTC)


def lines_backwards(file: BinaryIO, end: int | None = None) -> Iterator[bytes]:
    """The lines of a file backwards from its end, or from that position, read lazily."""
    position = file.seek(0, os.SEEK_END) if end is None else end
    for block in blocks_backwards(file, position, position):
        yield from (line for line in reversed(block.split(b"\n")) if line)


def blocks_backwards(file: BinaryIO, most_bytes: int, end: int | None = None) -> Iterator[bytes]:
    """Blocks of complete lines, backwards from a file's end or that position, up to that size.

    A line that begins before the part that may be read is left out.
    """
    position = file.seek(0, os.SEEK_END) if end is None else end
    stop = max(0, position - most_bytes)
    rest: list[bytes] = []  # parts of a line that begins in an earlier block, the last part first
    while position > stop:
        size = min(_CHUNK_BYTES, position - stop)
        position -= size
        file.seek(position)
        head, newline, lines = file.read(size).partition(b"\n")
        if newline:
            yield lines + b"".join(reversed(rest))
            rest = []
        rest.append(head + newline)
    if stop == 0 and rest:
        yield b"".join(reversed(rest))
