"""Where a process listens, in its own network namespace (proc(5)); psutil reads the caller's."""

import socket
from collections.abc import Iterator
from pathlib import Path

_LISTENS = "0A"
_LOCAL = frozenset({"127.0.0.1", "0.0.0.0", "::", "::ffff:127.0.0.1"})
_FAMILIES = (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6))


def listening(pid: int) -> set[tuple[str, int]]:
    """The TCP addresses and ports; empty if the process has ended."""
    try:
        sockets = set(_sockets(pid))
        return {
            place
            for table, family in _FAMILIES
            for inode, place in _listeners(Path(f"/proc/{pid}/net/{table}"), family)
            if inode in sockets
        }
    except (FileNotFoundError, ProcessLookupError):
        return set()


def listening_in_network(pid: int) -> set[tuple[str, int]]:
    """The TCP addresses and ports of all processes in the network namespace of this one."""
    try:
        return {
            place
            for table, family in _FAMILIES
            for _, place in _listeners(Path(f"/proc/{pid}/net/{table}"), family)
        }
    except (FileNotFoundError, ProcessLookupError):
        return set()


def machine_ports() -> set[int]:
    """The TCP ports on which something listens at 127.0.0.1 or all addresses, in our namespace."""
    return {
        port
        for table, family in _FAMILIES
        for _, (address, port) in _listeners(Path(f"/proc/self/net/{table}"), family)
        if address in _LOCAL
    }


def _sockets(pid: int) -> Iterator[str]:
    """The inodes of a process's sockets."""
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = str(descriptor.readlink())
        except FileNotFoundError:
            continue  # closed meanwhile
        if target.startswith("socket:["):
            yield target[len("socket:[") : -1]


def _listeners(table: Path, family: int) -> Iterator[tuple[str, tuple[str, int]]]:
    """Inode, address and port of each listener in a table; none if there is no such family."""
    if not table.exists():
        return
    for line in table.read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == _LISTENS:
            yield fields[9], read_place(fields[1], family)


def read_place(text: str, family: int) -> tuple[str, int]:
    """Address and port, as these tables have them. Raises ValueError if it is none."""
    address, _, port = text.rpartition(":")
    return _address(address, family), int(port, 16)


def _address(text: str, family: int) -> str:
    """From hexadecimal digits, in groups of four bytes of which each has the machine's order."""
    words = [int(text[i : i + 8], 16).to_bytes(4, "little") for i in range(0, len(text), 8)]
    return socket.inet_ntop(family, b"".join(words))
