"""Datastores of apps: creating, destroying and showing them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from paas.domain.apps.apps import App
from paas.domain.datastores.datastores import Datastore, DatastoreState
from paas.domain.datastores.kinds import AttachmentName, DatastoreKind
from paas.domain.datastores.names import DatastoreName, new_names, scheme_of
from paas.domain.datastores.plans import Plan
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.domain.routing.endpoints import LOOPBACK, Endpoint
from paas.domain.values.errors import PaasError, usage_error
from paas.domain.values.names import AppName
from paas.domain.values.secret import Secret
from paas.interfaces import Clock, DatastoreServer, Locks, Ports, Progress, Reserve, Runtime
from paas.services.access import find_app, refreshed
from paas.services.datastores.attachments import Attachments
from paas.services.datastores.finding import (
    Shown,
    no_such_datastore,
    of_app,
    refuse_followed,
    refuse_foreign,
    refuse_on_nodes,
    visible,
)
from paas.services.datastores.upkeep import DatastoreUpkeep
from paas.services.server.quotas import Quotas
from paas.store import Store

START_LIMIT_S = 60.0
MAX_PER_APP = 5
WAIT_LIMIT_S = 600.0
WAIT_POLL_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Datastores:
    """What users do with the datastores of an app. runtime: runs their servers."""

    store: Store
    servers: Mapping[DatastoreKind, DatastoreServer]
    ports: Ports
    runtime: Runtime
    upkeep: DatastoreUpkeep
    attachments: Attachments
    quotas: Quotas
    locks: Locks
    reserve: Reserve
    clock: Clock
    random_name: Callable[[], AppName]
    random_secret: Callable[[], str]

    def create(
        self,
        actor: Actor,
        name: str,
        order: tuple[DatastoreKind, Plan],
        wanted: AttachmentName | None,
        progress: Progress,
        made: Callable[[DatastoreName], None] = lambda _name: None,
        *,
        scheme: str | None = None,
        begun: Callable[[Datastore], None] = lambda _new: None,
    ) -> Datastore:
        """Create a datastore that belongs to the app, and attach it: see `attach`.

        begun: called once it is recorded, before its server runs. made: called with its name before
        it is attached, since the client may have gone by the end.
        If it cannot be created, nothing is left. If the app does not come up with it, it exists but
        is not attached.
        """
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        kind, plan = order
        refuse_on_nodes(app, kind)
        new_names(kind, self.attachments.taken(app), wanted)
        if scheme is not None:
            scheme_of(kind, scheme)
        version = self.version(actor, kind, progress)
        with self.locks.app(app.id, f"{actor.name} creates a datastore"):
            app = refreshed(self.store, app)
            self.quotas.refuse_datastores(actor, app.owner)
            self.quotas.refuse_full(actor, app)
            files = self.servers[kind].create
            new = self.make(app, (kind, plan, version), files, progress, begun=begun)
        progress.step(f"Created {new.name}: {kind.traits.product} {version}, plan {plan.name}")
        made(new.name)
        self.attachments.add(actor, app, new, wanted, progress, scheme=scheme)
        return new

    def destroy(
        self,
        actor: Actor,
        name: str,
        datastore: str,
        confirm: str | None,
        progress: Progress,
        *,
        detach: bool = False,
    ) -> None:
        """Delete a datastore that belongs to the app, with all its data. confirm: its name.

        detach: whether it is first detached from that app. Raises PaasError if it is still attached
        to an app.
        """
        app = find_app(self.store, actor, name, to=Permission.OWN)
        found = visible(self.store, app, datastore, None).datastore
        refuse_foreign(self.store, app, found)
        if confirm != found.name:
            raise usage_error(
                "confirm",
                f"This deletes {found.name} with all data in it, for good.",
                f"To confirm: paas addons:destroy {found.name} -a {app.name} "
                f"--confirm {found.name}",
            )
        if detach:
            self._detach(actor, app, found, progress)
        lock = self.locks.app(app.id, f"{actor.name} destroys a datastore")
        with self.reserve.released(), lock:  # the disk may be full
            self._refuse_attached(found)
            refuse_followed(self.store, found, "cannot be destroyed")
            self.store.datastores.set_state(found.name, DatastoreState.REMOVED)
            with progress.doing(f"destroying {found.name}"):
                self.upkeep.remove(found)
        progress.step(f"Destroyed {found.name}")

    def listing(self, actor: Actor, name: str) -> list[Shown]:
        """The datastores that belong to an app or are attached to it, by number."""
        app = find_app(self.store, actor, name, to=Permission.VIEW)
        return of_app(self.store, app)

    def info(
        self, actor: Actor, name: str, wanted: str | None, kind: DatastoreKind | None
    ) -> Shown:
        """One of them, with its figures; see `visible`."""
        app = find_app(self.store, actor, name, to=Permission.VIEW)
        found = visible(self.store, app, wanted, kind)
        try:
            figures = self.servers[found.datastore.kind].figures(found.datastore)
        except PaasError:
            figures = None
        from_nodes = found.datastore.port in self.store.datastores.node_ports()
        return Shown(found.datastore, found.owner, found.names, figures, from_nodes)

    def chosen(self, actor: Actor, name: str, wanted: str | None, kind: DatastoreKind) -> Datastore:
        """The datastore of a kind that is meant, for actors who may have its password.

        wanted: its name or that of an attachment; None: see `visible`.
        """
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        found = visible(self.store, app, wanted, kind)
        if not found.names:
            raise PaasError(
                "not-attached",
                f"{found.datastore.name} is not attached to {app.name}, so its processes cannot "
                "reach it.",
                f"paas addons:attach {found.datastore.name} -a {app.name}",
            )
        return found.datastore

    def wait(
        self,
        actor: Actor,
        name: str,
        wanted: str | None,
        kind: DatastoreKind,
        progress: Progress,
    ) -> None:
        """Return once a datastore answers; see `visible`.

        Raises PaasError if it is destroyed, or does not answer within ten minutes.
        """
        app = find_app(self.store, actor, name, to=Permission.VIEW)
        found = visible(self.store, app, wanted, kind).datastore
        deadline = self.clock.monotonic() + WAIT_LIMIT_S
        with progress.doing(f"waiting for {found.name}"):
            while not self._serves(found.name):
                if self.clock.monotonic() > deadline:
                    raise PaasError(
                        "datastore-down",
                        f"{found.name} has not answered for {WAIT_LIMIT_S / 60:g} minutes.",
                        "Ask the server's operator to run: paas doctor",
                    )
                progress.check()
                self.clock.sleep(WAIT_POLL_S)
        progress.step(f"{found.name} answers")

    def _serves(self, name: DatastoreName) -> bool:
        """Whether it answers. Raises PaasError if it is gone, or about to be."""
        found = self.store.datastores.find(name)
        if found is None or found.state is DatastoreState.REMOVED:
            raise no_such_datastore(name)
        return found.state is DatastoreState.READY and self.servers[found.kind].answers(found)

    def make(
        self,
        app: App,
        order: tuple[DatastoreKind, Plan, str],
        files: Callable[[Datastore], None],
        progress: Progress,
        settings: Mapping[str, str] = MappingProxyType({}),
        *,
        leader: Datastore | None = None,
        fill: Callable[[Datastore], None] = lambda _made: None,
        begun: Callable[[Datastore], None] = lambda _new: None,
    ) -> Datastore:
        """Create a datastore for an app, whose lock is held, without attaching it.

        Nothing is left of it if that fails. order: kind, plan and version. files: creates its
        files. settings: its settings. leader: the datastore that it follows. fill: puts data into
        it once it answers. begun: called once it is recorded.
        """
        self.refuse_many(app)
        kind, plan, version = order
        server = self.servers[kind]
        made = self.store.datastores.add(
            DatastoreName(f"{kind}-{self.random_name()}"),
            kind,
            version,
            plan,
            app_id=app.id,
            password=Secret(self.random_secret()),
            now=self.clock.now(),
            is_free=lambda port: self.ports.are_free([Endpoint(LOOPBACK, port)]),
            settings=settings,
            leader=leader,
        )
        try:
            begun(made)
            with progress.doing(f"making {made.name}"):
                files(made)
                self.runtime.start([server.workload(made)])
                server.set_up(made, START_LIMIT_S)
                fill(made)
            self.store.datastores.set_state(made.name, DatastoreState.READY)
        except BaseException:
            self.upkeep.remove(made)
            raise
        return made

    def version(self, actor: Actor, kind: DatastoreKind, progress: Progress) -> str:
        """The installed version; missing packages are installed for root only."""
        server, traits = self.servers[kind], kind.traits
        if actor.user is None:
            return server.ensure_installed(progress)
        version = server.installed()
        if version is None:
            raise PaasError(
                "datastore-not-installed",
                f"{traits.product} is not installed on this server.",
                f"Root on the server installs it: apt-get install {traits.package}, or with the "
                f"first datastore: sudo paas addons:create {kind} -a APP",
            )
        return version

    def refuse_many(self, app: App, more: int = 1) -> None:
        """Raises PaasError if the app may not have that many more."""
        if len(self.store.datastores.of_app(app.id)) + more > MAX_PER_APP:
            raise PaasError(
                "too-many-datastores",
                f"{app.name} would have more than {MAX_PER_APP} datastores, the most that an app "
                "may have.",
                f"Destroy one that it does not need: paas addons -a {app.name}",
            )

    def _detach(self, actor: Actor, app: App, datastore: Datastore, progress: Progress) -> None:
        """Detach it from its own app, unless it could not be destroyed then."""
        refuse_followed(self.store, datastore, "cannot be destroyed")
        self._refuse_attached(datastore, but=app)
        present = self.store.datastores.attachments(app_id=app.id)
        if any(one.datastore == datastore.name for one in present):
            self.attachments.detach(actor, app.name, [datastore.name], progress)

    def _refuse_attached(self, datastore: Datastore, *, but: App | None = None) -> None:
        """Raises PaasError if it is attached to an app; but: to another one than that."""
        for one in self.store.datastores.attachments():
            if one.datastore == datastore.name and (but is None or one.app_id != but.id):
                app = self.store.apps.by_id(one.app_id)
                raise PaasError(
                    "datastore-attached",
                    f"{datastore.name} is attached as {one.name}"
                    f"{f' to {app.name}' if app else ''}.",
                    f"Detach it first: paas addons:detach {one.name}"
                    f"{f' -a {app.name}' if app else ''}",
                )
