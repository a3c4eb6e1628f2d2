"""Who may reach the ports of apps and datastores: the platform's own nftables table, see nft(8).

From this machine only root and the proxy, from the network nobody, over IPv4 and IPv6. An app that
listens on a port other than its own cannot be reached from the network either: the rules match its
uid. Only packets that open a connection are examined, so replies and other tables are not affected.

A datastore is reached by root and by the apps to which it is attached.

A port whose instance is about to be stopped is shut: no new connections; open ones stay. That of an
instance on a node is shut here, for the proxy.

A port that is claimed for one app cannot be answered by another: the second packet of a connection
carries the uid of the listener. A port without a claim is left alone, so losing the claims breaks
nothing.

Each rule accepts known uids, then refuses the rest unconditionally: a socket that the kernel made
(AF_SMC, for example) and a SYN cookie have no uid, so no condition on a uid would match them. The
services of the host must still be able to answer the network with cookies: from the ports that no
app can have, and from those on which others listen when the rules are loaded.

Apps and builds cannot reach the addresses at which clouds hand out a machine's credentials, except
for DNS, which some clouds offer there.

New connections to a port can be held up for a moment: their first packets are dropped, and the
client's kernel sends them again after a second. The rules contain the expiry, so it ends
automatically.
"""

import pwd
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from paas.adapters.docker.bridge_rules import CLIENT_SET, bridge_rules, client_elements, own_bridges
from paas.adapters.network.app_dns import dns_servers
from paas.adapters.network.app_network_rules import app_network_rules, connection_timeouts
from paas.adapters.network.connection_limit import ConnectionLimit, LimitState
from paas.adapters.network.nft import ask_nft
from paas.adapters.network.node_services import close_route, node_rules, open_route
from paas.adapters.network.port_rules import metadata_rules, port_rules
from paas.domain.datastores.datastores import NO_NODES, NodeAccess
from paas.domain.routing.app_networks import AppAddresses, AppNetwork
from paas.domain.routing.endpoints import LOOPBACK, Endpoint
from paas.domain.values.errors import PaasError
from paas.settings import Settings

# In case the process that shut a port is killed before it reopens it.
SHUT_S = 600
_UNPRIVILEGED = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
_COOKIES = Path("/proc/sys/net/ipv4/tcp_syncookies")
_COOKIES_ALWAYS = "2"
_LISTENS = "0A"
# Apps on the machine's network, and those with networks of their own.
_CLIENT_SETS = ("clients", "client_addresses")


class NftFirewall:
    """The rules for the ports of settings.ports; must run as root. table: their name."""

    def __init__(self, settings: Settings) -> None:
        self._first, self._last = settings.ports
        self._first_uid, self._last_uid = settings.uids
        self._proxy_user = settings.proxy_user
        self.table = f"paas_{self._first:d}"
        self._limit = ConnectionLimit(settings, self.table)
        self._settings = settings

    def install(
        self,
        claims: Sequence[tuple[int, int]] = (),
        clients: Sequence[tuple[int, int]] = (),
        *,
        routes: bool | None = None,
        nodes: NodeAccess = NO_NODES,
    ) -> None:
        """Load the rules, in one transaction, in place of this server's former ones.

        claims: ports and the uids that may listen there. clients: ports of datastores and the uids
        that may connect to them. routes: whether the machine routes for
        others than the apps; None where the apps have no networks of their own. nodes: what these
        may connect to. Raises PaasError with nft's own message if they cannot be loaded.
        """
        try:
            proxy = pwd.getpwnam(self._proxy_user).pw_uid
        except KeyError as error:
            raise _failure(f"there is no account {self._proxy_user!r}") from error
        privileged = max(0, int(_UNPRIVILEGED.read_text()) - 1)
        rules = port_rules(
            self._settings, self.table, proxy, privileged=privileged, cookies=cookies_are_all()
        )
        ports = ", ".join(f"{port:d}" for port in sorted(self._foreign_ports()))
        if ports:
            rules += f"add element inet {self.table} foreign {{ {ports} }}\n"
        rules += self._elements("add", claims) + self._clients(clients)
        if not self._settings.app_metadata:
            rules += metadata_rules(self._settings, self.table)
        if routes is not None:
            rules += app_network_rules(
                self._settings, self.table, proxy, routes=routes, dns_servers=dns_servers()
            )
        if self._settings.docker:
            rules += bridge_rules(self._settings, self.table, proxy, dns_servers=dns_servers())
            rules += client_elements(self._settings, self.table, clients)
            rules += own_bridges(self._settings, self.table)
            rules += node_rules(self.table, nodes)
        with self._route_for(nodes):
            self._load(rules, routes=routes)

    @contextmanager
    def _route_for(self, nodes: NodeAccess) -> Iterator[None]:
        """The route to loopback is there only while the rules are."""
        if not nodes.pairs:
            close_route(self._settings)
        yield
        if nodes.pairs:
            open_route(self._settings, nodes)

    def _load(self, rules: str, *, routes: bool | None) -> None:
        more = self._limit.rules()
        if routes is not None:
            more += connection_timeouts(self._settings, self.table)
        if more and ask_nft(["-f", "-"], rules + more).ok:
            return
        # A kernel that cannot count connections supports everything else; limit_state reports it.
        _nft(["-f", "-"], rules)

    def limit_state(self) -> LimitState:
        """Whether the limit of connections per address is in force."""
        return self._limit.state()

    def _foreign_ports(self) -> set[int]:
        """The ports on which others than apps listen now, by the kernel's list (proc(5), net)."""
        found: set[int] = set()
        for name in ("tcp", "tcp6"):
            with suppress(FileNotFoundError):
                for line in Path("/proc/net", name).read_text().splitlines()[1:]:
                    fields = line.split()
                    is_app = self._first_uid <= int(fields[7]) <= self._last_uid
                    if fields[3] == _LISTENS and not is_app:
                        found.add(int(fields[1].rpartition(":")[2], 16))
        return found - set(range(self._first, self._last + 1))

    def claim(self, claims: Sequence[tuple[int, int]], host: str = LOOPBACK) -> None:
        """Let only these uids answer from these ports; does nothing if the rules are not loaded.

        host: the address at which they listen; they take connections again if they were shut.
        """
        with suppress(PaasError):
            opened = self._opened([Endpoint(host, port) for port, _ in claims])
            _nft(["-f", "-"], self._elements("add", claims) + opened)

    def release(self, claims: Sequence[tuple[int, int]]) -> None:
        """Remove such claims; no error if there are none."""
        with suppress(PaasError):
            # nft fails to delete what does not exist.
            lines = self._elements("add", claims) + self._elements("delete", claims)
            opened = self._opened([Endpoint(LOOPBACK, port) for port, _ in claims])
            _nft(["-f", "-"], lines + opened)

    def unclaimed(self, claims: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        """The claims that are missing in the rules. Raises PaasError if no rules are loaded."""
        words = _nft(["list", "set", "inet", self.table, "owners"], "")
        there = {(int(port), int(uid)) for port, uid in re.findall(r"(\d+) \. (\d+)", words)}
        return [claim for claim in claims if claim not in there]

    def let_clients(self, clients: Sequence[tuple[int, int]], nodes: NodeAccess = NO_NODES) -> None:
        """Let only these uids, and root, and nodes, connect to these ports of datastores.

        Open connections stay. Does nothing if the rules are not loaded: who loads them lets these.
        """
        with suppress(PaasError):
            flush = [f"flush set inet {self.table} {name}\n" for name in _CLIENT_SETS]
            rules = "".join(flush) + self._clients(clients)
            if self._settings.docker:
                rules += f"flush set inet {self.table} {CLIENT_SET}\n"
                rules += client_elements(self._settings, self.table, clients)
                rules += node_rules(self.table, nodes)
            with self._route_for(nodes):
                _nft(["-f", "-"], rules)

    def clients(self) -> set[tuple[int, int]]:
        """Who is let. Raises PaasError if no rules are loaded."""
        words = _nft(["list", "set", "inet", self.table, "clients"], "")
        return {(int(port), int(uid)) for port, uid in re.findall(r"(\d+) \. (\d+)", words)}

    def _clients(self, clients: Sequence[tuple[int, int]]) -> str:
        if not clients:
            return ""
        addresses = AppAddresses(self._settings.app_addresses)
        elements = (
            [f"{port:d} . {uid:d}" for port, uid in clients],
            [
                f"{addresses.of(AppNetwork(uid, once))} . {port:d}"
                for port, uid in clients
                for once in (False, True)
            ],
        )
        return "".join(
            f"add element inet {self.table} {name} {{ {', '.join(each)} }}\n"
            for name, each in zip(_CLIENT_SETS, elements, strict=True)
        )

    def close_ports(self, endpoints: Sequence[Endpoint]) -> None:
        """Refuse new connections to these until they are reopened; open ones continue."""
        each = ", ".join(f"{_element(one)} timeout {SHUT_S:d}s" for one in endpoints)
        with suppress(PaasError):
            _nft(["-f", "-"], f"add element inet {self.table} shut {{ {each} }}\n")

    def hold(self, ports: Sequence[int], limit_s: int) -> None:
        """Hold up new connections to these ports, for so long at most; no-op without the rules."""
        each = ", ".join(f"{port:d} timeout {limit_s:d}s" for port in ports)
        with suppress(PaasError):
            _nft(["-f", "-"], f"add element inet {self.table} held {{ {each} }}\n")

    def let_in(self) -> None:
        """Stop holding up new connections."""
        with suppress(PaasError):
            _nft(["-f", "-"], f"flush set inet {self.table} held\n")

    def open_ports(self, endpoints: Sequence[Endpoint], bridges: Sequence[str] = ()) -> None:
        """Let these accept connections again, whether they were closed or not.

        bridges: whose containers may reach each other from now on. No-op without the rules.
        """
        rules = own_bridges(self._settings, self.table, bridges)
        rules += self._opened(endpoints) if endpoints else ""
        if rules:
            with suppress(PaasError):
                _nft(["-f", "-"], rules)

    def _opened(self, endpoints: Sequence[Endpoint]) -> str:
        each = ", ".join(map(_element, endpoints))
        element = f"element inet {self.table} shut {{ {each} }}\n"
        return f"add {element}delete {element}"

    def _elements(self, verb: str, claims: Sequence[tuple[int, int]]) -> str:
        if not claims:
            return ""
        ports = ", ".join(f"{port:d}" for port, _ in claims)
        owners = ", ".join(f"{port:d} . {uid:d}" for port, uid in claims)
        table = f"{verb} element inet {self.table}"
        return f"{table} claimed {{ {ports} }}\n{table} owners {{ {owners} }}\n"

    def remove(self, table: str | None = None) -> None:
        """Delete the rules, or those of a former table; no error if there are none."""
        name = table or self.table
        if name == self.table:
            close_route(self._settings)
        _nft(["-f", "-"], f"table inet {name}\ndelete table inet {name}\n")

    def check_loaded(self) -> None:
        """Raises PaasError with nft's own message if there are no rules."""
        _nft(["list", "table", "inet", self.table], "")


def _element(endpoint: Endpoint) -> str:
    return f"{endpoint.host} . {endpoint.port:d}"


def cookies_are_all() -> bool:
    """Whether every connection begins with a SYN cookie, which carries no uid (tcp(7))."""
    try:
        return _COOKIES.read_text().strip() == _COOKIES_ALWAYS
    except FileNotFoundError:
        return False  # a kernel without SYN cookies


def _nft(arguments: list[str], rules: str) -> str:
    """Run nft with the rules on its stdin; returns what it prints. Raises PaasError."""
    answer = ask_nft(arguments, rules)
    if not answer.ok:
        raise _failure(answer.words)
    return answer.words


def _failure(reason: str) -> PaasError:
    return PaasError(
        "firewall",
        f"The apps' ports are not closed to other accounts and the network: {reason}.",
        "Once nftables works, set the rules with: sudo paas doctor --fix",
    )
