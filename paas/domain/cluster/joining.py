"""Whether a machine may become a node: it must be able to run what this server builds."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address

from paas.domain.cluster.nodes import Login, Node, is_node_name
from paas.domain.values.errors import PaasError

# Between the clocks of two machines: certificates and logs bear that much.
CLOCK_LIMIT_S = 5.0
# What remains of 512 MiB when the kernel has taken its part; Docker alone takes 120.
MIN_MEMORY_MIB = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineFacts:
    """What a machine says of itself. release: such as ``debian 12``.

    address: its own end of the ssh connection; caller: this server's end. clock_ahead_s: how far
    its clock is before this server's, as far as the duration of the question lets tell. engine: the
    version of its Docker, empty without. swarm_id: its id in the swarm that it belongs to, empty if
    it belongs to none. containers: how many run there. engine_conflicts: what its Docker's
    settings say that a node must not have, as clauses; engine_lacks: the names of those that they
    do not have, but must. is_closed: whether the rules for nodes are loaded;
    is_bridge_closed: whether what passes between two of its containers goes through them.
    """

    name: str
    is_root: bool
    cpu: str
    release: str
    memory_mib: int
    address: IPv4Address
    caller: IPv4Address
    clock_ahead_s: float
    engine: str
    swarm_id: str
    live_restore: bool
    has_systemd: bool
    containers: int = 0
    engine_conflicts: tuple[str, ...] = ()
    engine_lacks: tuple[str, ...] = ()
    is_closed: bool = True
    is_bridge_closed: bool = True


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What a node must have in common with this server. members: the ids of all of its swarm."""

    cpu: str
    release: str
    address: IPv4Address
    members: frozenset[str]


def refusals(server: ServerFacts, facts: MachineFacts, nodes: Sequence[Node]) -> list[str]:
    """Each reason why a machine cannot be a node, as a clause; none: it can."""
    return [*_unfit(server, facts), *_busy(facts), *_claimed(server, facts, nodes)]


def refusal(login: Login, reasons: Sequence[str]) -> PaasError:
    """All that is in the way, at once."""
    return PaasError(
        "node-refused",
        f"{login} cannot be a node: {'; '.join(reasons)}.",
        f"Nothing was changed there. When that is corrected: paas nodes:add {login}",
    )


def mismatches(server: ServerFacts, facts: MachineFacts) -> list[str]:
    """What of a node is no longer as it was when it was added, as clauses."""
    return [*_unfit(server, facts), *_changed(facts)]


def _unfit(server: ServerFacts, facts: MachineFacts) -> Iterator[str]:
    """What does not suit the server's apps."""
    if not facts.is_root:
        yield "the login is not root's"
    if abs(facts.clock_ahead_s) > CLOCK_LIMIT_S:
        way = "ahead of" if facts.clock_ahead_s > 0 else "behind"
        yield f"its clock is {abs(facts.clock_ahead_s):.0f} s {way} this server's"
    if facts.cpu != server.cpu:
        yield f"its CPU is {facts.cpu}, this server's {server.cpu}"
    if facts.release != server.release:
        yield f"it runs {facts.release}, this server {server.release}"
    if facts.memory_mib < MIN_MEMORY_MIB:
        yield f"it has {facts.memory_mib} MiB of memory; {MIN_MEMORY_MIB} are needed"
    if facts.live_restore and not any("live-restore" in one for one in facts.engine_conflicts):
        yield "its Docker has live-restore, which Swarm refuses (/etc/docker/daemon.json)"
    yield from facts.engine_conflicts


def _busy(facts: MachineFacts) -> Iterator[str]:
    """What would be ended there. A member's containers are what an interrupted call left."""
    if facts.engine_lacks and facts.containers and not facts.swarm_id:
        yield (
            f"containers run there ({facts.containers}), which would end, since its Docker must "
            "be restarted; stop them first"
        )


def _changed(facts: MachineFacts) -> Iterator[str]:
    """What keeps apps apart there, and is gone."""
    if facts.engine_lacks:
        names = ", ".join(facts.engine_lacks)
        yield f"its /etc/docker/daemon.json lacks {names}; remove it, and add it again"
    if not facts.is_closed:
        yield "its rules in nftables are gone; load them: nft -f /etc/paas-node/firewall.nft"
    if facts.engine and not facts.is_bridge_closed:
        yield "its containers can reach each other: net.bridge.bridge-nf-call-iptables must be 1"


def _claimed(server: ServerFacts, facts: MachineFacts, nodes: Sequence[Node]) -> Iterator[str]:
    """Whose it is already."""
    if facts.address in (facts.caller, server.address):
        yield "it is this server itself"
    if not is_node_name(facts.name):
        yield f"its name, {facts.name!r}, is not one of lowercase letters, digits and dashes"
    if facts.swarm_id and facts.swarm_id not in server.members:
        yield "it belongs to another swarm (leave it there: docker swarm leave)"
    for node in nodes:
        if node.id == facts.swarm_id:
            yield f"it is the node {node.name} already"
        elif node.name == facts.name:
            yield f"there is another node of its name, {facts.name}"
        elif node.address == facts.address:
            yield f"the node {node.name} has its address, {facts.address}"
