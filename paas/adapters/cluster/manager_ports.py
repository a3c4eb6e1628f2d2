"""The ports of the nodes' manager and registry, for peers alone: the server's own rules."""

import pwd
from collections.abc import Collection
from ipaddress import IPv4Address

from paas.adapters.cluster.peer_rules import peer_rules
from paas.adapters.cluster.registry_record import read_record
from paas.adapters.network.nft import ask_nft
from paas.adapters.system.files import make_directory, remove, write_atomic
from paas.domain.values.errors import PaasError
from paas.settings import Settings


def let_peers(settings: Settings, addresses: Collection[IPv4Address]) -> None:
    """Let only these machines in; kept for `close_ports`. Raises PaasError if that fails."""
    make_directory(settings.paths.cluster, mode=0o700)
    lines = "".join(f"{address}\n" for address in sorted(addresses))
    write_atomic(settings.paths.cluster_peers, lines, mode=0o600)
    close_ports(settings)


def close_ports(settings: Settings) -> None:
    """Load the rules, for the settings of now, before the manager starts.

    Raises PaasError if that fails.
    """
    addresses = map(IPv4Address, settings.paths.cluster_peers.read_text().split())
    rules = peer_rules(
        settings,
        _table(settings),
        list(addresses),
        _proxy_uid(settings),
        _registry_ports(settings),
    )
    answer = ask_nft(["-f", "-"], rules)
    if not answer.ok:
        raise _failure(answer.words)


def forget_peers(settings: Settings) -> None:
    """Have no manager: neither its rules nor what says that there is one."""
    remove(settings.paths.cluster_peers)
    unload(settings)


def unload(settings: Settings) -> None:
    """Remove the rules, if they exist, while the manager is stopped."""
    ask_nft(["delete", "table", "inet", _table(settings)])


def _proxy_uid(settings: Settings) -> int:
    try:
        return pwd.getpwnam(settings.proxy_user).pw_uid
    except KeyError as error:
        raise _failure(f"there is no account {settings.proxy_user!r}") from error


def _registry_ports(settings: Settings) -> list[int]:
    """That at which it listens, and that at which it will when it begins; none of the apps'."""
    present, (first, last) = read_record(settings), settings.ports
    ports = {settings.registry_port, present.port if present else settings.registry_port}
    return sorted(port for port in ports if not first <= port <= last)


def _table(settings: Settings) -> str:
    return f"paas_{settings.ports[0]:d}_peers"


def _failure(why: str) -> PaasError:
    return PaasError(
        "cluster-firewall",
        f"The ports of the nodes' manager cannot be closed to others: {why}.",
        "The manager is not started until they are. See: paas server:status",
    )
