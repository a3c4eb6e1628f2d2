"""Nodes: what admins do with the machines that belong to a server."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv4Address

from paas.domain.cluster.joining import MachineFacts, refusal, refusals
from paas.domain.cluster.nodes import (
    Availability,
    ClusterReport,
    Login,
    Node,
    NodeName,
    NodeReport,
    SeenNode,
    no_such_node,
    report,
)
from paas.domain.people.actors import Actor
from paas.domain.values.errors import PaasError
from paas.interfaces import (
    Clock,
    Cluster,
    ImageRegistry,
    Locks,
    NodeMachines,
    Progress,
    ServerLock,
)
from paas.services.access import require_admin
from paas.services.cluster.checks import problems
from paas.services.cluster.emptying import Emptying
from paas.services.progress import waiting
from paas.store import Store

# How long a machine that has joined may take until it is ready.
_READY_LIMIT_S = 60.0
_POLL_S = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Nodes:
    """The cluster of one server. has_docker: whether it was installed with Docker.

    changed: called when there is a node more or less.
    """

    store: Store
    cluster: Cluster
    machines: NodeMachines
    emptying: Emptying
    registry: ImageRegistry
    locks: Locks
    clock: Clock
    has_docker: bool
    changed: Callable[[], None]

    def begin(self, actor: Actor, address: IPv4Address) -> str:
        """Make this server the manager of nodes; returns the line that lets it into machines."""
        require_admin(actor, "have this server manage nodes")
        if not self.has_docker:
            raise PaasError(
                "no-docker",
                "This server has no Docker, which it needs to manage nodes.",
                "The administrator: install.sh --docker",
            )
        with self.locks.server(ServerLock.NODES, f"{actor.name} makes a cluster"):
            present = self.store.cluster.address()
            if present not in (None, address):
                raise PaasError(
                    "cluster-exists",
                    f"This server already manages nodes, at the address {present}.",
                    "To change it, remove all nodes and then the cluster: paas nodes:end",
                )
            if present is None:
                self._begin(address)
            else:  # the registry may be missing, or have another port than before
                self.cluster.let_peers(self._peers())
                self.registry.begin(address)
        return self.machines.public_key()

    def end(self, actor: Actor) -> None:
        """Manage nodes no longer; there must be none."""
        require_admin(actor, "end the cluster")
        with self.locks.server(ServerLock.NODES, f"{actor.name} ends the cluster"):
            self._address()
            if nodes := self.store.cluster.nodes():
                names = ", ".join(node.name for node in nodes)
                raise PaasError(
                    "cluster-has-nodes",
                    f"The cluster has nodes: {names}.",
                    f"Remove them first: paas nodes:remove {nodes[0].name}",
                )
            if apps := self.emptying.apps():
                raise PaasError(
                    "cluster-has-apps",
                    f"These apps are set to run on nodes: {', '.join(apps)}.",
                    f"Move them to this server first: paas scheduler:set {apps[0]} local",
                )
            self.store.cluster.end()
            self.registry.end()
            self.cluster.end()

    def add(
        self, actor: Actor, login: Login, labels: Mapping[str, str], progress: Progress
    ) -> Node:
        """Make a machine a node. What it refuses is found out before it is changed.

        What an interrupted call left is taken up again by the next.
        """
        require_admin(actor, "add a node")
        with self.locks.server(ServerLock.NODES, f"{actor.name} adds a node"):
            address = self._address()
            registry = self.registry.host(), self.registry.authority()
            members = self.cluster.members()
            facts = self._checked(address, login, [one.id for one in members])
            progress.step(f"{facts.name} ({facts.address}) can be a node")
            progress.detail(f"Its host key is {self.machines.host_key(login)}")
            peers = {facts.address, *self._peers()}
            with progress.doing(f"closing ports and installing Docker on {facts.name}"):
                self.machines.prepare(login, address, peers, progress)
                self.machines.trust(login, *registry)
            self._tell_peers(peers, progress)
            id = facts.swarm_id or self._join(login, facts, address, progress)
            self._wait_until_ready(id, facts.name)
            if labels:
                self.cluster.set_labels(id, labels)
            node = Node(NodeName(facts.name), id, login, facts.address, self.clock.now())
            self.store.cluster.add(node)
            self.changed()
            if not facts.has_systemd:
                progress.warn(
                    f"{facts.name} has no systemd: have it load /etc/paas-node/firewall.nft and "
                    "start Docker at each boot."
                )
        return node

    def look(self, actor: Actor) -> ClusterReport:
        """All nodes, as Swarm sees them."""
        require_admin(actor, "see the nodes")
        found = self._report()
        counts = self.emptying.counts()
        nodes = [replace(one, instances=counts[str(one.node.address)]) for one in found.nodes]
        return replace(found, nodes=nodes)

    def info(self, actor: Actor, name: str) -> NodeReport:
        """One of them."""
        for one in self.look(actor).nodes:
            if one.node.name == name:
                return one
        raise no_such_node(name)

    def drain(self, actor: Actor, name: str, progress: Progress) -> Node:
        """Have nothing run on a node, without losing a request.

        What is there is started on other nodes first. If that fails, the node is left paused.
        """
        require_admin(actor, "change a node")
        doing = f"{actor.name} empties the node {name}"
        with self.locks.server(ServerLock.NODES, doing, waiting(progress)):
            found = self._known(name)
            self.emptying.empty(found, progress)
            self.cluster.set_availability(found.node.id, Availability.DRAIN)
        return found.node

    def undrain(self, actor: Actor, name: str) -> Node:
        """Have a node used again."""
        require_admin(actor, "change a node")
        with self.locks.server(ServerLock.NODES, f"{actor.name} changes the node {name}"):
            node = self._known(name).node
            self.cluster.set_availability(node.id, Availability.ACTIVE)
        return node

    def remove(self, actor: Actor, name: str, progress: Progress, *, force: bool) -> Node:
        """Have a node leave. force: without asking it, since it is lost."""
        require_admin(actor, "remove a node")
        with self.locks.server(ServerLock.NODES, f"{actor.name} removes the node {name}"):
            node = self.store.cluster.find(name)
            if node is None:
                raise no_such_node(name)
            if not force:
                self.emptying.empty(self._found(node), progress)
                with progress.doing(f"having {node.name} leave"):
                    self._leave(node)
            self.cluster.remove(node.id)
            self.store.cluster.remove(node.name)
            self.changed()
            self._tell_peers(self._peers(), progress)
        return node

    def check(self, actor: Actor) -> Iterator[tuple[str, str]]:
        """What is wrong, each with the node's name; asks each machine."""
        yield from problems(self.look(actor), self.machines, self.registry)

    def _begin(self, address: IPv4Address) -> None:
        self.cluster.begin(address)
        try:
            self.registry.begin(address)
        except PaasError:
            self.cluster.end()
            raise
        self.store.cluster.begin(address)

    def _peers(self) -> set[IPv4Address]:
        """The server, and all nodes."""
        return {self._address(), *(node.address for node in self.store.cluster.nodes())}

    def _address(self) -> IPv4Address:
        """Raises PaasError if there is no cluster."""
        address = self.store.cluster.address()
        if address is None:
            raise PaasError(
                "no-cluster",
                "This server manages no nodes.",
                "To begin: paas nodes:init --address ADDRESS, its own in the nodes' network",
            )
        return address

    def _report(self) -> ClusterReport:
        return report(self._address(), self.store.cluster.nodes(), self.cluster.members())

    def _found(self, node: Node) -> NodeReport:
        """As Swarm sees it."""
        return next(one for one in self._report().nodes if one.node == node)

    def _known(self, name: str) -> NodeReport:
        """A node that Swarm knows, too."""
        for one in self._report().nodes:
            if one.node.name == name and one.seen is not None:
                return one
        raise no_such_node(name)

    def _checked(self, address: IPv4Address, login: Login, members: list[str]) -> MachineFacts:
        facts = self.machines.facts(login)
        server = self.machines.server(address, members)
        if reasons := refusals(server, facts, self.store.cluster.nodes()):
            raise refusal(login, reasons)
        return facts

    def _join(
        self, login: Login, facts: MachineFacts, address: IPv4Address, progress: Progress
    ) -> str:
        """The token is good for this machine alone, and for as long as joining takes."""
        try:
            with progress.doing(f"having {facts.name} join"):
                return self.machines.join(login, self.cluster.token(), address, facts.address)
        finally:
            self.cluster.change_token()

    def _tell_peers(self, peers: set[IPv4Address], progress: Progress) -> None:
        """Let all reach each other, and nobody else; a node that is away gets this later."""
        self.cluster.let_peers(peers)
        server = self._address()
        for node in self.store.cluster.nodes():
            try:
                self.machines.let_peers(node.login, server, peers)
            except PaasError as error:
                progress.warn(
                    f"{node.name} has not received its new list of peers yet: {error.summary}."
                )

    def _wait_until_ready(self, id: str, name: str) -> None:
        deadline = self.clock.monotonic() + _READY_LIMIT_S
        while not any(one.id == id and one.is_ready for one in self._seen()):
            if self.clock.monotonic() > deadline:
                raise PaasError(
                    "node-not-ready",
                    f"{name} joined, but was not ready within {_READY_LIMIT_S:g} s.",
                    "Open ports 2377 and 7946 between it and the server, then add it again.",
                )
            self.clock.sleep(_POLL_S)

    def _seen(self) -> list[SeenNode]:
        return list(self.cluster.members())

    def _leave(self, node: Node) -> None:
        self.cluster.set_availability(node.id, Availability.DRAIN)
        try:
            self.machines.leave(node.login)
        except PaasError as error:
            raise PaasError(
                error.reference,
                error.message,
                f"If the machine is lost: paas nodes:remove {node.name} --force",
                context=error.context,
            ) from error
