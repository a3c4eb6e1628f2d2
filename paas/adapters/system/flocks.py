"""Locks on files by flock(2), which the kernel releases when their process ends.

A check takes the lock itself for an instant if it is free, and releases it.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from paas.adapters.system import subprocesses

_GRACE_S = 10.0


def is_held(fd: int, how: int = fcntl.LOCK_SH) -> bool:
    """Whether an open file's lock conflicts with taking it that way."""
    try:
        fcntl.flock(fd, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    fcntl.flock(fd, fcntl.LOCK_UN)
    return False


def taken_within(fd: int, limit_s: float) -> bool:
    """Whether an open file's lock is ours now; waits for it in the kernel.

    So anyone who asks for the lock later also gets it later. A process that only tries again
    and again may find that the next one has it already. Another program waits, because flock(2) has
    no time limit; the lock belongs to the open file, which that program shares.
    """
    ended = subprocesses.run(
        ["/usr/bin/flock", "--exclusive", "--timeout", f"{limit_s:g}", "0"],
        description="Waiting for a lock",
        timeout_s=limit_s + _GRACE_S,
        env={},
        cwd=Path("/"),
        stdin=fd,
        check=False,
    )
    return ended.status == 0


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
