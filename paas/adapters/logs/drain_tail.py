"""A position in a growing log and its rotated parts; it advances when lines have been sent.

The log's files are the queue: waiting lines take no memory and survive restarts.
"""

import os
import time
from pathlib import Path

from paas.adapters.logs.log_files import ROTATED_S

_COUNT_BYTES = 1_048_576
_LINE_BYTES = 131_072


class LogTail:
    """path: the present file; files: how many rotated ones there may be. position: see Place."""

    def __init__(self, path: Path, files: int, position: tuple[int, int]) -> None:
        self._path = path
        self._files = files
        self._inode, self._offset = position
        self._next = self._offset
        self._fd: int | None = None
        self._ended_at: float | None = None

    @property
    def position(self) -> tuple[int, int]:
        """Up to where lines have been sent, to continue from there."""
        return self._inode, self._offset

    def read(self, limit: int) -> list[bytes]:
        """Whole lines of about that many bytes in all; the same ones until commit."""
        while self._open() is not None:
            assert self._fd is not None
            data = os.pread(self._fd, limit, self._offset)
            end = data.rfind(b"\n") + 1
            if end:
                self._next = self._offset + end
                return data[: end - 1].split(b"\n")
            if len(data) == limit:  # no line of ours is that long
                self._offset += limit
            elif not self._go_on():
                break
        return []

    def commit(self) -> None:
        """Record that what was read has been sent."""
        self._offset = self._next

    def backlog(self) -> int:
        """How many bytes wait."""
        if self._open() is None:
            return 0
        assert self._fd is not None
        own = os.fstat(self._fd).st_size - self._offset
        return own + sum(size for _, _, size in self._later())

    def skip(self, leave: int) -> int:
        """Drop the oldest lines until about that many bytes wait; returns how many lines."""
        dropped = 0
        while (surplus := self.backlog() - leave) > 0:
            assert self._fd is not None
            least = min(surplus, _COUNT_BYTES)
            data = os.pread(self._fd, least + _LINE_BYTES, self._offset)
            end = data.find(b"\n", least - 1) + 1 or data.rfind(b"\n") + 1
            dropped += data.count(b"\n", 0, end)
            self._offset += end
            self._next = self._offset
            if not end and not self._go_on(at_once=True):
                break
        return dropped

    def close(self) -> None:
        """Close the file."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _open(self) -> int | None:
        """The file's descriptor; opens the file if it exists."""
        if self._fd is not None:
            if os.fstat(self._fd).st_size < self._offset:  # truncated by someone
                self._offset = self._next = 0
            return self._fd
        chain = self._chain()
        for path, inode, size in chain:
            if inode == self._inode and size >= self._offset:
                return self._take(path, inode, self._offset)
        if chain:  # its file is gone, or did not exist yet
            path, inode, _ = chain[0]
            return self._take(path, inode, 0)
        return None

    def _take(self, path: Path, inode: int, offset: int) -> int | None:
        try:
            self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None
        self._inode = os.fstat(self._fd).st_ino
        self._offset = self._next = offset if self._inode == inode else 0
        self._ended_at = None
        return self._fd

    def _go_on(self, *, at_once: bool = False) -> bool:
        """At the end of a file: go to the next one, if nothing writes to this one any longer."""
        later = self._later()
        if not later:
            return False
        if self._ended_at is None:
            self._ended_at = time.monotonic()
        if not at_once and time.monotonic() - self._ended_at < ROTATED_S:
            return False
        self.close()
        path, inode, _ = later[0]
        return self._take(path, inode, 0) is not None

    def _chain(self) -> list[tuple[Path, int, int]]:
        """The existing files, oldest first: path, inode, size."""
        found: dict[int, tuple[Path, int, int]] = {}
        # In the direction in which files are renamed, so that none is missed.
        for number in range(self._files + 1):
            path = self._path.with_name(f"{self._path.name}.{number}") if number else self._path
            try:
                status = path.stat()
            except OSError:
                continue
            found.pop(status.st_ino, None)
            found[status.st_ino] = (path, status.st_ino, status.st_size)
        return list(found.values())[::-1]

    def _later(self) -> list[tuple[Path, int, int]]:
        """The files that came after the current one."""
        chain = self._chain()
        inodes = [inode for _, inode, _ in chain]
        return chain[inodes.index(self._inode) + 1 :] if self._inode in inodes else chain
