"""A lock on each server of this machine for those who install or remove it."""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

LOCKS = Path("/run/paas-install")


@contextmanager
def only_one(
    root: str | None, tell_wait: Callable[[], None], locks: Path = LOCKS
) -> Iterator[None]:
    """Hold the lock of the server in root (None: the system's); the kernel frees it at our end.

    tell_wait: called once where another has it. The file stays: to delete it would let two in.
    """
    locks.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (locks / quote(root or "system", safe="")).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            tell_wait()
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
