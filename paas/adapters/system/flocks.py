"""Whether another process has a file locked by flock(2): the kernel says so, and when it has ended.

A look takes the lock for an instant itself where it is free, and gives it back.
"""

import fcntl
import os
from pathlib import Path


def is_held(fd: int, how: int = fcntl.LOCK_SH) -> bool:
    """Whether an open file is locked so that one could not have it that way."""
    try:
        fcntl.flock(fd, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    fcntl.flock(fd, fcntl.LOCK_UN)
    return False


def is_file_held(path: Path) -> bool:
    """Whether anybody has the file locked; one that is gone, nobody."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    try:
        return is_held(fd)
    finally:
        os.close(fd)
