"""Disk space and inodes that the platform reserves, for what frees space on a full disk.

state/reserve has one large file and some empty ones; releasing the reserve empties and deletes
them. Several commands may need it at once: the last one that ends takes it again. Each holds a lock
of the directory (flock(2)) meanwhile.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from paas.adapters.system import files

INODES = 64
_MIB = 1024**2
_PAGE = 4096
# Left to the file system itself, where it does not give all that is free.
_SLACK_BYTES = 256 * 1024


class DiskReserve:
    """`Reserve` of interfaces. size_mib: of the large file; 0: nothing is held."""

    def __init__(self, directory: Path, size_mib: int) -> None:
        self._state = directory.parent
        self._directory = directory
        self._space = self._directory / "space"
        self._size_bytes = size_mib * _MIB

    @contextmanager
    def released(self) -> Iterator[bool]:
        if not self._space.exists() or (self._held_bytes() and not self._is_scarce()):
            yield False
            self.keep()
            return
        with self._users() as (lock, is_first):
            held_bytes, before_bytes = self._held_bytes(), self._root_free_bytes()
            if held_bytes:
                self._release()
            elif not is_first:  # another one released it
                held_bytes, before_bytes = self._size_bytes, before_bytes - self._size_bytes
            try:
                yield held_bytes > 0
            finally:
                if held_bytes and _alone(lock):
                    self._take_again(min(held_bytes, self._root_free_bytes() - before_bytes))
                self.keep()

    @contextmanager
    def _users(self) -> Iterator[tuple[int, bool]]:
        """Be one of those who need space now. Yields their lock, and whether there is no other."""
        lock = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            is_first = _alone(lock)
            fcntl.flock(lock, fcntl.LOCK_SH)
            yield lock, is_first
        finally:
            os.close(lock)

    def _take_again(self, left_bytes: int) -> None:
        """Take all that is left, so that many small uses do not consume it.

        Others may write meanwhile: then as much as there is.
        """
        sizes = (left_bytes, left_bytes - _SLACK_BYTES, left_bytes // 2, left_bytes // 4)
        next(filter(self._take, sizes), None)

    def keep(self) -> None:
        if self._held_bytes() > self._size_bytes:
            self._remove()  # the setting has changed
        if self._held_bytes() < self._size_bytes and self._free_bytes() >= 2 * self._size_bytes:
            self._take(self._size_bytes)

    def _is_scarce(self) -> bool:
        """Whether less is free for apps than the platform wants to hold."""
        found = os.statvfs(self._state)
        few_files = bool(found.f_files) and found.f_favail < INODES
        return few_files or self._free_bytes() < self._size_bytes

    def _free_bytes(self) -> int:
        """What apps can use: some space may be root's alone (ext4 has 5% by default)."""
        found = os.statvfs(self._state)
        return found.f_bavail * found.f_frsize

    def _root_free_bytes(self) -> int:
        """What is free on the disk; not even root can use all of it (ext4 needs up to 16 MiB)."""
        found = os.statvfs(self._state)
        return found.f_bfree * found.f_frsize

    def _held_bytes(self) -> int:
        try:
            return self._space.stat().st_blocks * 512
        except FileNotFoundError:
            return 0

    def _release(self) -> None:
        """Free it. That there is an empty file tells others that it was released."""
        with suppress(OSError):  # read-only: the caller will report it
            os.truncate(self._space, 0)
            self._remove_inodes()

    def _remove(self) -> None:
        with suppress(OSError):
            files.remove(self._space)
            self._remove_inodes()

    def _remove_inodes(self) -> None:
        for number in range(INODES):
            files.remove(self._directory / f"inode.{number}")

    def _take(self, size_bytes: int) -> bool:
        """Reserve that much, in whole pages; nothing and False if there is not enough."""
        size_bytes -= size_bytes % _PAGE
        if size_bytes <= 0:
            return False
        try:
            files.make_directory(self._directory)
            for number in range(INODES):
                os.close(
                    os.open(self._directory / f"inode.{number}", os.O_CREAT | os.O_WRONLY, 0o600)
                )
            fd = os.open(self._space, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(fd, 0, size_bytes)
            finally:
                os.close(fd)
        except OSError:
            self._remove()
            return False
        return True


def _alone(lock: int) -> bool:
    """Whether nobody else needs space now; others wait until this one has ended."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
