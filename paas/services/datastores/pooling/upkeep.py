"""Makes the connection poolers of datastores match the store."""

from dataclasses import dataclass

from paas.domain.datastores.datastores import Datastore
from paas.domain.datastores.pooling import Pooler
from paas.domain.routing.endpoints import LOOPBACK, Endpoint
from paas.interfaces import ConnectionPoolers, DatastoreClients, Ports, Runtime
from paas.store import Store

_START_LIMIT_S = 30.0
_STOP_LIMIT_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolerUpkeep:
    """A datastore has a pooler as long as an attachment uses it.

    Callers hold the lock of the app to which the datastore belongs.
    """

    store: Store
    poolers: ConnectionPoolers
    clients: DatastoreClients
    ports: Ports
    runtime: Runtime

    def start(self, datastore: Datastore) -> Pooler:
        """Start the pooler of a running datastore; returns it once it answers. Raises PaasError."""
        pooler = self.store.poolers.add(
            datastore, lambda port: self.ports.are_free([Endpoint(LOOPBACK, port)])
        )
        self.clients.apply(self.store.datastores.clients())  # the pooler is one
        self.poolers.refresh(pooler)
        self.learn_logins(datastore)
        self.mend(datastore)
        self.poolers.set_up(pooler, _START_LIMIT_S)
        return pooler

    def prepare_start(self, datastore: Datastore) -> None:
        """Before the supervisor starts: have it start the pooler, if there is one."""
        pooler = self.store.poolers.of(datastore)
        if pooler is not None:
            self.poolers.refresh(pooler)
            self.runtime.prepare_start([self.poolers.workload(pooler)])

    def mend(self, datastore: Datastore) -> int:
        """Start it if it is not running. Returns how many were repaired."""
        pooler = self.store.poolers.of(datastore)
        if pooler is None:
            return 0
        workload = self.poolers.workload(pooler)
        if self.runtime.states([workload])[workload.id].pid is not None:
            return 0
        self.poolers.refresh(pooler)
        if not self.runtime.ensure(workload):
            self.runtime.start([workload])
        return 1

    def restart(self, datastore: Datastore) -> None:
        """Restart it with the new plan; does nothing if there is none."""
        pooler = self.store.poolers.of(datastore)
        if pooler is not None:
            self.runtime.stop([self.poolers.workload(pooler)], _STOP_LIMIT_S)
            self.mend(datastore)

    def drop_unneeded(self, datastore: Datastore) -> int:
        """Remove it if no attachment uses it any longer. Returns how many were removed."""
        if self.store.poolers.of(datastore) is None or self.store.poolers.is_needed(datastore):
            return 0
        self.remove(datastore)
        return 1

    def remove(self, datastore: Datastore) -> None:
        """Stop it, delete its files, then its record; does nothing if there is none."""
        pooler = self.store.poolers.of(datastore)
        if pooler is not None:
            self.runtime.stop([self.poolers.workload(pooler)], _STOP_LIMIT_S)
            self.poolers.remove(datastore)
            self.store.poolers.forget(datastore)
            self.clients.apply(self.store.datastores.clients())

    def learn_logins(self, datastore: Datastore) -> None:
        """Rewrite its list of logins after they have changed."""
        pooler = self.store.poolers.of(datastore)
        if pooler is not None:
            workload = self.poolers.workload(pooler)
            pid = self.runtime.states([workload])[workload.id].pid
            self.poolers.learn_logins(pooler, pid)

    def is_down(self, datastore: Datastore) -> bool:
        """Whether there is one that should serve and does not."""
        pooler = self.store.poolers.of(datastore)
        return pooler is not None and not self.poolers.answers(pooler)
