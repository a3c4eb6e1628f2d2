"""Uids that no other test process has; see ports.py for how they are locked."""

import socket
from functools import cache

# None of an installation, and none that tests name.
FIRST, LAST = 95_000, 97_999
BLOCK = 10

_locks: list[socket.socket] = []
_left: list[int] = []


def free_uids() -> int:
    """The first of `BLOCK` uids, one after the other, which are given out once."""
    for first in range(FIRST, LAST, BLOCK):
        lock = socket.socket(socket.AF_UNIX)
        try:
            lock.bind(f"\0paas-test-uids-{first}")
        except OSError:
            lock.close()
        else:
            _locks.append(lock)
            return first
    raise AssertionError("there are no free uids")


def free_uid() -> int:
    """One of them."""
    if not _left:
        first = free_uids()
        _left.extend(range(first, first + BLOCK))
    return _left.pop(0)


@cache
def uid_of(app_id: int) -> int:
    """The uid of an app that tests make without a store: always the same in one test process."""
    return free_uid()
