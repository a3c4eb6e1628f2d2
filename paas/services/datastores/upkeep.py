"""Makes the servers of datastores match the store, after a boot or an interrupted command."""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

from paas.domain.datastores.archives import KEPT_FOR, archive_name
from paas.domain.datastores.datastores import NO_NODES, Datastore, DatastoreState, NodeAccess
from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.server.findings import Finding
from paas.domain.values.errors import PaasError
from paas.interfaces import (
    Clock,
    DatastoreArchives,
    DatastoreClients,
    DatastoreFiles,
    DatastoreFollowers,
    DatastoreServer,
    FileUpgrades,
    Locks,
    Progress,
    Runtime,
    ServerLock,
)
from paas.services.datastores.pooling.upkeep import PoolerUpkeep
from paas.store import Store

STOP_LIMIT_S = 120.0
START_LIMIT_S = 60.0
# Of the servers that may hang, until their limit of time.
ASKED_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class SilentDatastores:
    """What should answer and does not.

    servers: the datastores whose server does not. poolers: those that serve, and whose connection
    pooler does not.
    """

    servers: Sequence[Datastore] = ()
    poolers: Sequence[Datastore] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DatastoreUpkeep:
    """The servers of datastores, for all services."""

    store: Store
    servers: Mapping[DatastoreKind, DatastoreServer]
    archives: Mapping[DatastoreKind, DatastoreArchives]
    file_upgrades: Mapping[DatastoreKind, FileUpgrades]
    followers: Mapping[DatastoreKind, DatastoreFollowers]
    clients: DatastoreClients
    files: DatastoreFiles
    clock: Clock
    poolers: PoolerUpkeep
    runtime: Runtime
    locks: Locks

    def let_clients(self, coming: int | None = None) -> None:
        """Let exactly the apps to which a datastore is attached connect to it.

        coming: the id of an app that is about to run on nodes.
        """
        self.clients.apply(self.store.datastores.clients(), self._node_access(coming))

    def _node_access(self, coming: int | None = None) -> NodeAccess:
        address, nodes = self.store.cluster.address(), self.store.cluster.nodes()
        ports = self.store.datastores.node_ports(coming) if address and nodes else ()
        if address is None or not ports:
            return NO_NODES
        return NodeAccess(str(address), tuple(sorted(str(one.address) for one in nodes)), ports)

    def refuse_gone_clients(self) -> None:
        """Stop admitting apps that are destroyed, or that a killed command has detached."""
        if self.clients_differ():
            self.let_clients()

    def remove(self, datastore: Datastore) -> None:
        """Stop a datastore's server and delete its files, then its record."""
        self.poolers.remove(datastore)
        server = self.servers[datastore.kind]
        self.runtime.stop([server.workload(datastore)], STOP_LIMIT_S)
        server.remove(datastore.id)
        self._leave_archive(datastore)
        self.store.datastores.forget(datastore.name)
        if datastore.leader is not None:
            self.let_clients()
            with suppress(PaasError):  # it may be down, or be removed next; see FollowerUpkeep
                self.followers[datastore.kind].dismiss_others(
                    datastore.leader, self.store.datastores.followers(datastore.leader.id)
                )

    def _leave_archive(self, datastore: Datastore) -> None:
        """Keep its archive for a while, if it was ever ready."""
        archive = self.archives.get(datastore.kind)
        follows = datastore.following is not None
        if archive is None or archive.lack() is not None or follows:
            return
        kept = datastore.state is not DatastoreState.PENDING
        if kept:
            until = self.clock.now() + KEPT_FOR
            self.store.archives.keep(archive_name(datastore), until)
        archive.leave(datastore, kept=kept)

    def restart(self, one: Datastore) -> None:
        """Restart its server with its present files and settings."""
        with self.locks.app(one.app_id, "the server restarts a datastore"):
            present = self.store.datastores.find(one.name)
            if present is None or present.state is not DatastoreState.READY:
                return
            self.restart_held(present)

    def restart_held(self, one: Datastore) -> None:
        """The same while its app's lock is held. Raises PaasError if it does not come up."""
        server = self.servers[one.kind]
        server.refresh(one)
        workload = server.workload(one)
        self.runtime.stop([workload], STOP_LIMIT_S)
        self.runtime.start([workload])
        server.set_up(one, START_LIMIT_S)

    def prepare_start(self) -> None:
        """Before the supervisor starts: have it start the servers, like everything else."""
        self.let_clients()
        for one in self._ready():
            server = self.servers[one.kind]
            try:
                server.refresh(one)
                self.runtime.prepare_start([server.workload(one)])
                self.poolers.prepare_start(one)
            except PaasError:
                continue  # `run` tries it again, and reports why it fails

    def run(self, progress: Progress) -> int:
        """Repair them, but for those being created or destroyed; returns how many were repaired."""
        mended = 0
        if self.clients_differ():
            self.let_clients()
            mended += 1
        for one in followers_first(self.store.datastores.all()):
            if self.locks.app_is_held(one.app_id):
                continue
            try:
                with self.locks.app(one.app_id, "the server looks after a datastore"):
                    mended += self._mend(self.store.datastores.find(one.name))
            except PaasError as error:
                progress.warn(f"{one.name}: {error.report}")
        return mended

    def silent(self) -> SilentDatastores:
        """Those that should answer and do not. Each is asked once, several at the same time."""
        ready = self._ready()
        with ThreadPoolExecutor(ASKED_AT_ONCE) as asking:
            answers = list(asking.map(lambda one: self.servers[one.kind].answers(one), ready))
        serve = [one for one, does in zip(ready, answers, strict=True) if does]
        return SilentDatastores(
            servers=tuple(one for one, does in zip(ready, answers, strict=True) if not does),
            poolers=tuple(one for one in serve if self.poolers.is_down(one)),
        )

    def unfinished(self) -> list[Datastore]:
        """Those whose creation or destruction was interrupted."""
        return [
            one
            for one in self.store.datastores.all()
            if one.state.is_discardable and not self.locks.app_is_held(one.app_id)
        ]

    def wrong_files(self) -> list[tuple[Datastore, str]]:
        """What differs in their files from how they were created, in words."""
        return [
            (one, words)
            for one in self._ready()
            if not self.locks.app_is_held(one.app_id)
            for words in self.files.faults(one)
        ]

    def clients_differ(self) -> bool:
        """Whether other apps may connect to datastores than the store says."""
        differ = self.clients.present() != self.store.datastores.clients()
        return differ or self.clients.nodes() != self._node_access()

    def hazards(self) -> list[Finding]:
        """What on this machine endangers the data of the kinds in use."""
        kinds = dict.fromkeys(one.kind for one in self._ready())
        return [hazard for kind in kinds for hazard in self.servers[kind].hazards()]

    def changing_logins(self) -> list[Datastore]:
        """Those whose change of the login was interrupted."""
        if self.locks.server_is_held(ServerLock.LOGINS):
            return []
        under_way = self.store.login_changes.under_way()
        return [one for one in self.store.datastores.all() if one.id in under_way]

    def _mend(self, one: Datastore | None) -> int:
        """Repair it, as it is once the lock of its app is held."""
        if one is None:
            return 0
        if one.state.is_discardable:
            self.remove(one)
            return 1
        if one.state is not DatastoreState.READY:
            return 0  # see FollowerUpkeep
        unneeded = self.poolers.drop_unneeded(one)
        mended = unneeded + self._mend_files(one) + self._mend_server(one)
        return mended + self._catch_up(one) + self.poolers.mend(one)

    def _mend_files(self, one: Datastore) -> int:
        if not self.files.faults(one):
            return 0
        self.files.mend(one)
        self.servers[one.kind].refresh(one)
        return 1

    def _mend_server(self, one: Datastore) -> int:
        server = self.servers[one.kind]
        workload = server.workload(one)
        if self.runtime.states([workload])[workload.id].pid is not None:
            return 0
        server.refresh(one)
        if not self.runtime.ensure(workload):
            self.runtime.start([workload])
        return 1

    def _catch_up(self, one: Datastore) -> int:
        """Update its files for programs that the distribution has replaced."""
        upgrading = self.file_upgrades.get(one.kind)
        version = upgrading.catch_up(one) if upgrading is not None else None
        if version is None:
            return 0
        self.store.datastores.set_version(one.name, version)
        return 1

    def _ready(self) -> list[Datastore]:
        return [one for one in self.store.datastores.all() if one.state is DatastoreState.READY]


def followers_first(datastores: Iterable[Datastore]) -> list[Datastore]:
    """In the order in which they can be removed."""
    return sorted(datastores, key=lambda one: one.following is None)
