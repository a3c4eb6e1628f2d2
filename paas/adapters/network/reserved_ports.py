"""Keeps our ports out of the range from which the kernel takes those of outgoing connections.

A port of that range may be in use by any outgoing connection when its daemon starts
(ip-sysctl: ip_local_port_range, ip_local_reserved_ports). Standard library only.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

Range = tuple[int, int]

_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_RESERVED = Path("/proc/sys/net/ipv4/ip_local_reserved_ports")


def kernel_range() -> Range:
    """First and last port that a connection may get; an empty range if that is unknown."""
    try:
        first, last = _RANGE.read_text().split()
    except (OSError, ValueError):
        return 1, 0
    return int(first), int(last)


def exposed(ranges: Iterable[Range]) -> list[Range]:
    """Which of these ports a connection may get: those in the kernel's range and not reserved."""
    first, last = kernel_range()
    wanted = _ports(ranges) & set(range(first, last + 1))
    return _ranges(wanted - _reserved()) if wanted else []


def reserve(ranges: Sequence[Range]) -> None:
    """Reserve these ports, in addition to those already reserved. Raises OSError."""
    _RESERVED.write_text(_text(_reserved() | _ports(ranges)))


def release(ranges: Sequence[Range]) -> None:
    """Undo that. Raises OSError."""
    _RESERVED.write_text(_text(_reserved() - _ports(ranges)))


def can_reserve() -> bool:
    """Whether this machine allows it: in a container the file may be read-only."""
    try:
        with _RESERVED.open("r+"):
            return True
    except OSError:
        return False


def words(ranges: Sequence[Range]) -> str:
    """``2222, 40000-40199``."""
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in ranges)


def parse(text: str) -> list[Range]:
    """The reverse of `words`, and what the kernel prints."""
    pairs = (part.strip().partition("-") for part in text.split(",") if part.strip())
    return [(int(a), int(b or a)) for a, _, b in pairs]


def _reserved() -> set[int]:
    try:
        return _ports(parse(_RESERVED.read_text()))
    except (OSError, ValueError):
        return set()


def _ports(ranges: Iterable[Range]) -> set[int]:
    return {port for first, last in ranges for port in range(first, last + 1)}


def _ranges(ports: set[int]) -> list[Range]:
    found: list[Range] = []
    for port in sorted(ports):
        if found and found[-1][1] == port - 1:
            found[-1] = (found[-1][0], port)
        else:
            found.append((port, port))
    return found


def _text(ports: set[int]) -> str:
    return words(_ranges(ports)).replace(" ", "") + "\n"
