"""Locks on files by flock(2), which the kernel releases when their process ends.

A check takes the lock itself for an instant if it is free, and releases it.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def is_held(fd: int, how: int = fcntl.LOCK_SH) -> bool:
    """Whether an open file's lock conflicts with taking it that way."""
    try:
        fcntl.flock(fd, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    fcntl.flock(fd, fcntl.LOCK_UN)
    return False


def is_file_held(path: Path) -> bool:
    """Whether any process has the file locked; False if the file is gone."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    try:
        return is_held(fd)
    finally:
        os.close(fd)


@contextmanager
def locked(path: Path, how: int = fcntl.LOCK_EX) -> Iterator[None]:
    """Wait for the lock of a file, and hold it. The file and its directory are made if missing."""
    path.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, how)
        yield
