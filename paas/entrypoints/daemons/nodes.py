"""The process `nodes`: watches a server's nodes, and what the apps' instances do there.

It passes what they print to the apps' logs, tells how they end and start again (services.py), and
has what ran on a lost node started elsewhere. Nodes that become ready get the list of their peers.
Swarm keeps instances running; if this process dies, they run on, and the next one continues where
it was.
"""

import os
import sys
import threading
from collections.abc import Callable, Collection, Sequence, Set
from functools import partial
from typing import Protocol

from paas.domain.cluster.nodes import ClusterReport, NodeState, report
from paas.domain.releases.artifacts import SWARM
from paas.domain.values.errors import PaasError
from paas.entrypoints.daemons.services import ServiceWatch
from paas.entrypoints.daemons.supervised import (
    Changes,
    Failures,
    StopSignal,
    end_with_parent,
    log,
    named_etc,
)
from paas.interfaces import Clock, Cluster
from paas.settings import Settings, load
from paas.store import Store
from paas.wiring.common import common_adapters
from paas.wiring.nodes import cluster, lost_nodes, peer_telling

# How often the nodes are looked at, and the services while something changes.
LOOK_S = 1.0
# How often the services are looked at else; a change is followed for as long.
SETTLED_S = 5.0


class Lost(Protocol):
    """What has instances of lost nodes started elsewhere."""

    def look(self, found: ClusterReport) -> None: ...


class Services(Protocol):
    """What watches the services of instances."""

    def look(self, expected: Set[str]) -> bool: ...
    def ask_again(self) -> None: ...


class NodeWatch:
    """One look a second. tell: called with the ids of nodes that have become ready."""

    def __init__(
        self,
        store: Store,
        cluster: Cluster,
        lost: Lost,
        services: Services,
        clock: Clock,
        *,
        tell: Callable[[Collection[str]], None],
    ) -> None:
        self._store = store
        self._cluster = cluster
        self._lost = lost
        self._services = services
        self._clock = clock
        self._tell = tell
        self._changes = Changes(store.database.path)
        self._ready: frozenset[str] | None = None
        self._next = self._busy_until = 0.0

    def run(self, ended: StopSignal) -> None:
        """Until the signal."""
        failures = Failures()
        while not ended.wait(LOOK_S):
            with failures.logged():
                self.look()

    def look(self) -> None:
        """At the nodes; and at the services, if something changes or it is their turn."""
        address = self._store.cluster.address()
        if address is None:
            return
        found = report(address, self._store.cluster.nodes(), self._cluster.members())
        self._lost.look(found)
        self._welcome(found)
        now = self._clock.monotonic()
        if self._changes.any():
            self._busy_until = now + SETTLED_S
        if self._busy_until <= now < self._next:
            return
        if self._services.look(self._expected()):
            self._busy_until = now + SETTLED_S
        self._next = now + SETTLED_S

    def _expected(self) -> set[str]:
        """The ids of the instances that are on nodes, or that a roll-out is about to start."""
        return {one.id for one in self._store.instances.all() if one.engine == SWARM}

    def _welcome(self, found: ClusterReport) -> None:
        """Ask for the output of a node that is back, and tell new ones of their peers."""
        ready = frozenset(one.node.id for one in found.nodes if one.state is NodeState.READY)
        if new := ready - (self._ready or frozenset()):
            self._tell(new)
        if self._ready is not None and ready - self._ready:
            self._services.ask_again()
        self._ready = ready


def tell_aside(settings: Settings, ids: Collection[str]) -> None:
    """Tell nodes of their peers, in a thread: it may wait while one is added."""

    def tell() -> None:
        try:
            for name, error in peer_telling(settings).tell(ids):
                log(f"{name} does not know its peers: {error.summary}")
        except PaasError as error:
            log(error.report)

    threading.Thread(target=tell, daemon=True).start()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the process of the server whose settings are in ETC/server.yml."""
    end_with_parent()
    try:
        settings = load(named_etc(argv) / "server.yml")
    except PaasError as error:
        log(error.report)
        return error.exit_code
    os.umask(0o022)
    adapters, ended = common_adapters(settings), threading.Event()
    services = ServiceWatch(settings, adapters.logs, ended)
    watch = NodeWatch(
        adapters.store,
        cluster(settings),
        lost_nodes(adapters),
        services,
        adapters.clock,
        tell=partial(tell_aside, settings),
    )
    watch.run(StopSignal())
    ended.set()
    os._exit(0)  # the gate finishes moves that were asked for; nobody needs to wait for them


if __name__ == "__main__":
    sys.exit(main())
