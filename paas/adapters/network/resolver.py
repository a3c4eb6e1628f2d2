"""What DNS says about names, and which addresses are this machine's."""

import ipaddress
import socket
import threading
import time
from collections.abc import Sequence

import psutil

from paas.domain.routing.hosts import WILDCARD, is_below

LOOKUPS_AT_ONCE = 16
# A sample for any name below a wildcard.
ANY_LABEL = "paas-dns-check."
LOCALHOST = "localhost"


class SystemResolver:
    """`Resolver` of interfaces by the machine's own resolver. domain: the server's own."""

    def __init__(self, domain: str) -> None:
        self._domain = domain

    def lookup(self, hosts: Sequence[str], limit_s: float) -> dict[str, tuple[str, ...]]:
        """The addresses of each name; empty if it has none or there is no answer in time."""
        found: dict[str, tuple[str, ...]] = dict.fromkeys(hosts, ())
        waiting = list(dict.fromkeys(hosts))
        lock = threading.Lock()

        def work() -> None:
            while True:
                with lock:
                    if not waiting:
                        return
                    host = waiting.pop()
                addresses = _addresses(host)
                with lock:
                    found[host] = addresses

        # Daemon threads: getaddrinfo cannot be interrupted, and a slow server must not delay exit.
        workers = [
            threading.Thread(target=work, daemon=True)
            for _ in range(min(LOOKUPS_AT_ONCE, len(waiting)))
        ]
        for worker in workers:
            worker.start()
        deadline = time.monotonic() + limit_s
        for worker in workers:
            worker.join(max(0.0, deadline - time.monotonic()))
        with lock:
            waiting.clear()
            return dict(found)

    def own_addresses(self) -> frozenset[str]:
        """Those of this machine's interfaces, and those of the server's own domain.

        The latter are what the world sees if the machine itself has only private ones.
        """
        families = {socket.AF_INET, socket.AF_INET6}
        interfaces = psutil.net_if_addrs().values()
        own = {
            a.address.partition("%")[0]
            for group in interfaces
            for a in group
            if a.family in families
        }
        public = self.lookup([self._domain], 1.0)[self._domain]
        return frozenset(own) | frozenset(public)


def _addresses(host: str) -> tuple[str, ...]:
    """Sorted, IPv4 first."""
    if host.startswith(WILDCARD):
        host = ANY_LABEL + host.removeprefix(WILDCARD)
    if is_below(host, LOCALHOST):
        host = LOCALHOST  # as browsers have it (RFC 6761, 6.3); the C library asks DNS
    try:
        answers = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return ()
    unique = {str(answer[4][0]).partition("%")[0] for answer in answers}
    return tuple(str(a) for a in sorted(map(ipaddress.ip_address, unique), key=_order))


def _order(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> tuple[int, int]:
    return address.version, int(address)
