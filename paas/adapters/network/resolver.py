"""What DNS says about names, and which addresses are this machine's."""

import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from paas.adapters.network import dns_records
from paas.adapters.network.dns_records import LOOKUPS_AT_ONCE, sample
from paas.domain.routing.hosts import is_below
from paas.domain.routing.proofs import Records
from paas.domain.routing.router_values import parse_addresses, parse_servers
from paas.settings import Settings

LOCALHOST = "localhost"


class SystemResolver:
    """`Resolver` of interfaces: by the machine's own resolver, or the setting `dns_servers`.

    interfaces: the addresses of the machine, instead of its real ones. hosts_file: what it knows
    about names besides DNS (hosts(5)).
    """

    def __init__(
        self,
        settings: Settings,
        *,
        interfaces: Callable[[], frozenset[str]] | None = None,
        hosts_file: Path = Path("/etc/hosts"),
    ) -> None:
        self._interfaces = interfaces or _interface_addresses
        self._hosts_file = hosts_file
        self._domain = settings.domain
        self._public = frozenset(parse_addresses(settings.public_addresses))
        self._servers = parse_servers(settings.dns_servers)

    def records(self, hosts: Sequence[str], limit_s: float) -> dict[str, Records]:
        """Asked of DNS itself, since the machine's resolver tells neither TXT nor why it failed."""
        return self._completed(dns_records.records(hosts, self._servers, limit_s))

    def lookup(self, hosts: Sequence[str], limit_s: float) -> dict[str, tuple[str, ...]]:
        """The addresses of each name; empty if it has none or there is no answer in time."""
        if self._servers:
            found = dns_records.records(hosts, self._servers, limit_s, with_proofs=False)
            return {host: of_host.addresses for host, of_host in self._completed(found).items()}
        return self._system_lookup(hosts, limit_s)

    def _system_lookup(self, hosts: Sequence[str], limit_s: float) -> dict[str, tuple[str, ...]]:
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

    def _completed(self, found: dict[str, Records]) -> dict[str, Records]:
        """With what the hosts file knows: then it is no failure that DNS does not answer."""
        local = _hosts_file_addresses(self._hosts_file) if found else {}
        return {
            host: replace(of_host, addresses=(*of_host.addresses, *local[host]), failure="")
            if host in local
            else of_host
            for host, of_host in found.items()
        }

    def own_addresses(self) -> frozenset[str]:
        """Those of this machine's interfaces, and of the setting `public_addresses`.

        Without the setting, and if the machine itself has only private ones: those of the server's
        own domain. They are not counted otherwise, since they may be a CDN's, which others share.
        """
        own = self._interfaces()
        if self._public or any(ipaddress.ip_address(address).is_global for address in own):
            return self._public | own
        return frozenset(self.lookup([self._domain], 1.0)[self._domain]) | own


def _interface_addresses() -> frozenset[str]:
    import psutil

    families = {socket.AF_INET, socket.AF_INET6}
    found = (a for group in psutil.net_if_addrs().values() for a in group)
    return frozenset(a.address.partition("%")[0] for a in found if a.family in families)


def _hosts_file_addresses(path: Path) -> dict[str, list[str]]:
    """Addresses by name; what is not of that form is skipped, as the C library does."""
    found: dict[str, list[str]] = {}
    lines = path.read_text(errors="replace").splitlines() if path.is_file() else []
    for line in lines:
        address, *names = line.partition("#")[0].split() or [""]
        with suppress(ValueError):
            plain = str(ipaddress.ip_address(address))
            for name in names:
                found.setdefault(name.lower(), []).append(plain)
    return found


def _addresses(host: str) -> tuple[str, ...]:
    """Sorted, IPv4 first."""
    host = sample(host)
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
