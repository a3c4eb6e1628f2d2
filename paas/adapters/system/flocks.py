"""Whether another process has a file locked by flock(2): the kernel says so, and when it has ended.

A check takes the lock itself for an instant if it is free, and releases it.
"""

import fcntl
import os
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
