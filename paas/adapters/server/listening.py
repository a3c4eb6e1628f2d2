"""Whether a daemon accepts connections on all its addresses, and which process prevents it."""

import errno
import socket
from typing import TYPE_CHECKING

from paas.adapters.network.ports import has_ipv6

if TYPE_CHECKING:
    import psutil

CONNECT_LIMIT_S = 2.0


def unreachable_addresses(port: int) -> list[str]:
    """The loopback addresses on which nothing accepts a connection to the port.

    A daemon that found the port taken on one address family keeps running with the other only. An
    address that the machine does not have (if the sysctl disable_ipv6 is set) is not listed.
    """
    families = [(socket.AF_INET, "127.0.0.1")]
    families += [(socket.AF_INET6, "::1")] if has_ipv6() else []
    return [address for family, address in families if not _accepts(family, address, port)]


def _accepts(family: socket.AddressFamily, address: str, port: int) -> bool:
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.settimeout(CONNECT_LIMIT_S)
        return probe.connect_ex((address, port)) in {0, errno.EADDRNOTAVAIL}


def other_holder(port: int, own: set[int]) -> str | None:
    """Which other process has the port, in words, or None. own: pids that may have it."""
    import psutil

    for connection in psutil.net_connections(kind="tcp"):
        if not connection.laddr or connection.laddr.port != port or connection.pid in own:
            continue
        if words := _words(connection):
            return words
    return None


def _words(connection: "psutil._ntuples.sconn") -> str | None:
    import psutil

    if connection.status == psutil.CONN_LISTEN:
        return f"{_name(connection.pid)} listens there"
    if connection.raddr and connection.pid is not None:
        return f"{_name(connection.pid)} uses it for a connection to {connection.raddr.ip}"
    return None


def _name(pid: int | None) -> str:
    import psutil

    try:
        return f"{psutil.Process(pid).name()} (process {pid})" if pid else "another process"
    except psutil.Error:
        return f"process {pid}"
