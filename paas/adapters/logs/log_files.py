"""Reading log files: from the end backwards, and as they grow."""

import os
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from paas.domain.logs.loglines import LogLine

# After a file was renamed: for how long whoever had it open may still write to it.
ROTATED_S = 1.0
_CHUNK_BYTES = 65_536
_LINE = re.compile(r"(\S+) (?:(app|paas)\[([^\]]*)\](?: v([0-9]+))?|(router)): (.*)")


class Followed:
    """One growing file, read from its present end; a file that is renamed is read to its end."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rest = b""
        self._replaced_at: float | None = None
        self._file = self._open()
        self.inode = 0
        self.start = 0
        if self._file is not None:
            self.inode = os.fstat(self._file.fileno()).st_ino
            self.start = self._file.seek(0, os.SEEK_END)

    def _open(self) -> BinaryIO | None:
        try:
            return self._path.open("rb", buffering=0)
        except OSError:
            return None

    def new_lines(self) -> list[LogLine]:
        """The whole lines that have come since the last call, at most some thousand."""
        if self._file is None:
            self._file = self._open()
        if self._file is None:
            return []
        ended = self._has_ended(self._file)  # before the read: then nothing comes after it
        data = self._file.read(16 * _CHUNK_BYTES) or b""
        if not data and ended:
            self.close()
            self._rest, self._replaced_at = b"", None
            return self.new_lines()
        *whole, self._rest = (self._rest + data).split(b"\n")
        return [line for raw in whole if (line := parse_line(raw)) is not None]

    def _has_ended(self, file: BinaryIO) -> bool:
        """Whether nobody writes to it any more, and there is another one in its place."""
        opened = os.fstat(file.fileno())
        try:
            present = self._path.stat()
        except OSError:
            return False
        if present.st_ino == opened.st_ino:
            if present.st_size < file.tell():  # emptied by somebody
                file.seek(0)
            return False
        if self._replaced_at is None:
            self._replaced_at = time.monotonic()
        return time.monotonic() - self._replaced_at >= ROTATED_S

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None


def parse_line(raw: bytes) -> LogLine | None:
    """A line of a log file, or None if it has not the form of one."""
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
    """The lines of a file from its end, or from that position, without reading more than asked."""
    position = file.seek(0, os.SEEK_END) if end is None else end
    for block in blocks_backwards(file, position, position):
        yield from (line for line in reversed(block.split(b"\n")) if line)


def blocks_backwards(file: BinaryIO, most_bytes: int, end: int | None = None) -> Iterator[bytes]:
    """Blocks of whole lines from a file's end, or that position, without more than that in all.

    A line that began before what may be read is left out.
    """
    position = file.seek(0, os.SEEK_END) if end is None else end
    stop = max(0, position - most_bytes)
    rest: list[bytes] = []  # of a line that begins in a block before, the last part first
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
