"""Ports, and networks, that no other test or benchmark has, nor the kernel for itself.

They come in blocks. Whoever has a block holds its lock, an abstract Unix socket, which ends with
the process and leaves nothing behind. Embedded servers have their ports for apps below these.
"""

import socket
from pathlib import Path

# Below, where nothing listens, are those that tests name; from 30,000 on those of the apps of
# benchmarks (benchmarks/ranges.py).
FIRST, LAST = 20_100, 29_999
BLOCK = 20

_locks: list[socket.socket] = []
_left: list[int] = []


def free_ports(count: int) -> list[int]:
    """So many ports that nothing uses; each is given out once."""
    while len(_left) < count:
        _left.extend(free_range())
    found, _left[:count] = _left[:count], []
    return found


def free_port() -> int:
    """One of them."""
    return free_ports(1)[0]


def free_range() -> range:
    """A block of `BLOCK` ports, one after the other, that nothing uses."""
    for first in range(FIRST, LAST - BLOCK, BLOCK):
        block = range(first, first + BLOCK)
        if _lock(first) and all(map(_is_free, block)):
            return block
    raise AssertionError("there are no free ports")


def free_network() -> str:
    """Addresses for the containers of one server, which no other test's have."""
    for second in range(64, 192, 2):
        if _lock(f"network-{second}") and not _is_routed(second):
            return f"10.{second}.0.0/15"
    raise AssertionError("there are no free networks")


def _is_routed(second: int) -> bool:
    """Whether the bridges of a run that was killed are left there, as their routes tell (route(8)).

    A column of the kernel's table is an address, its bytes in reverse.
    """
    words = [line.split()[1] for line in Path("/proc/net/route").read_text().splitlines()[1:]]
    return any(word[6:] == "0A" and int(word[4:6], 16) in {second, second + 1} for word in words)


def _lock(first: object) -> bool:
    lock = socket.socket(socket.AF_UNIX)
    try:
        lock.bind(f"\0paas-test-ports-{first}")
    except OSError:
        lock.close()
        return False
    _locks.append(lock)
    return True


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError:
            return False
    return True
