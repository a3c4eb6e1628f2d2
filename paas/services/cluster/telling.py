"""Has nodes know their peers and what the server's settings close: whenever one becomes ready.

So a node that did not answer when that changed, or settings that changed while the server was
stopped, leave nothing open.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from paas.domain.values.errors import PaasError
from paas.interfaces import Locks, NodeMachines, ServerLock
from paas.store import Store


@dataclass(frozen=True, slots=True)
class PeerTelling:
    """Waits while nodes are added or removed, and tells what is true then."""

    store: Store
    machines: NodeMachines
    locks: Locks

    def tell(self, ids: Collection[str]) -> Iterator[tuple[str, PaasError]]:
        """Tell these nodes, by Swarm's ids; yields those that do not know, and why."""
        with self.locks.server(ServerLock.NODES, "the server tells nodes of their peers"):
            address, nodes = self.store.cluster.address(), self.store.cluster.nodes()
            if address is None:
                return
            peers = {address, *(node.address for node in nodes)}
            for node in nodes:
                if node.id in ids:
                    try:
                        self.machines.let_peers(node.login, address, peers)
                    except PaasError as error:
                        yield node.name, error
