"""Uids that no other test process has; see ports.py for how they are locked."""

import socket

# None of an installation, and none that tests name.
FIRST, LAST = 95_000, 97_999
BLOCK = 10

_locks: list[socket.socket] = []


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
