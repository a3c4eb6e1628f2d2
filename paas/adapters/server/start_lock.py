"""The lock for starting and stopping the server: one command at a time, the others wait."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from paas.settings import Settings


@contextmanager
def start_lock(settings: Settings, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold it; waiting is called first if another has it. The kernel frees it when we exit."""
    settings.run.mkdir(mode=0o750, parents=True, exist_ok=True)  # a reboot has emptied /run
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    fd = os.open(settings.paths.start_lock, flags, 0o600)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)
