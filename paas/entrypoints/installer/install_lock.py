"""A lock for each server of this machine, held while it is installed or removed."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

LOCKS = Path("/run/paas-install")


@contextmanager
def install_lock(
    root: str | None, on_wait: Callable[[], None], locks: Path = LOCKS
) -> Iterator[None]:
    """Hold the lock of the server in root (None: the system's); the kernel releases it.

    on_wait: called once if another process has it. The file is deleted at the end; a process that
    waited for it notices, and locks the file that exists then.
    """
    path = locks / quote(root or "system", safe="")
    lock = _locked(path, on_wait)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(lock)
        with suppress(OSError):  # it has other locks
            locks.rmdir()


def _locked(path: Path, on_wait: Callable[[], None]) -> int:
    """The descriptor of the locked file, once it is the one at this path."""
    while True:
        with suppress(FileExistsError):
            path.parent.mkdir(mode=0o700)
        try:
            lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:  # another process has just removed the directory
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_wait()
            fcntl.flock(lock, fcntl.LOCK_EX)
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(lock), path.stat()):
                return lock
        os.close(lock)
