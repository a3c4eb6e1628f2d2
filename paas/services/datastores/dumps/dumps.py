"""What users do with stored dumps: make, list, download, restore, delete and schedule them."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from paas.domain.apps.apps import App
from paas.domain.datastores.dumps import (
    BY_HAND_MAX,
    Dump,
    Dumped,
    DumpSchedule,
    DumpState,
    dump_id,
)
from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.domain.values.errors import BackupMissingError, PaasError, usage_error
from paas.interfaces import Clock, Progress
from paas.interfaces.backups import Sink
from paas.interfaces.dumps import IncomingDump
from paas.services.access import find_app
from paas.services.backups.backups import Backups
from paas.services.datastores.dumps.captures import Captures
from paas.services.datastores.dumps.replacing import (
    Replacing,
    confirm_replacing,
    own_datastore,
)
from paas.services.datastores.dumps.schedules import DumpSchedules
from paas.services.datastores.finding import of_app, refuse_kind
from paas.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Dumps:
    """Dumps of the datastores that belong to an app; those of others are up to their own app."""

    store: Store
    backups: Backups
    captures: Captures
    schedules: DumpSchedules
    replacing: Replacing
    clock: Clock

    def listing(self, actor: Actor, name: str, kind: DatastoreKind) -> list[Dump]:
        """The dumps of an app in the order of their creation, also of destroyed datastores."""
        app = find_app(self.store, actor, name, to=Permission.VIEW)
        return [one for one in self.store.dumps.of_app(app.id) if one.kind is kind]

    def info(self, actor: Actor, name: str, dump: str, kind: DatastoreKind) -> Dump:
        """One of them."""
        app = find_app(self.store, actor, name, to=Permission.VIEW)
        return self._dump_of(app, dump, kind)

    def capture(
        self,
        actor: Actor,
        name: str,
        wanted: str | None,
        kind: DatastoreKind,
        progress: Progress,
        *,
        begun: Callable[[Dump], None] = lambda _dump: None,
    ) -> Dump:
        """Dump a datastore now. begun: called once the dump is recorded, before it is made."""
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        found = self.captures.sources.own(app, wanted, kind)
        by_hand = [
            one
            for one in self.store.dumps.of_datastore(found.name)
            if one.user is not None and one.state is DumpState.DONE
        ]
        if len(by_hand) >= BY_HAND_MAX:
            raise PaasError(
                "too-many-dumps",
                f"{found.name} has {BY_HAND_MAX} backups that were made by hand, the most that it "
                "may have.",
                f"Delete one: paas {kind.traits.prefix}:backups:delete {by_hand[0].name} "
                f"-a {app.name} --confirm {by_hand[0].name}",
            )
        self.captures.tidy(found)
        with progress.doing(f"dumping {found.name} and reading it back"):
            return self.captures.capture(found, actor.name, begun)

    def download(self, actor: Actor, name: str, dump: str, kind: DatastoreKind, sink: Sink) -> None:
        """Give the sink a decrypted dump."""
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        self._read(self._dump_of(app, dump, kind), sink)

    def restore(
        self,
        actor: Actor,
        name: str,
        dump: str,
        wanted: str | None,
        kind: DatastoreKind,
        confirm: str | None,
        progress: Progress,
    ) -> None:
        """Replace everything in a datastore of the app with a dump."""
        app = find_app(self.store, actor, name, to=Permission.OWN)
        chosen = self._dump_of(app, dump, kind)
        wanted = wanted or self._present_name(app, chosen)
        datastore = own_datastore(self.store, app, wanted, kind)
        command = f"paas {kind.traits.prefix}:backups:restore {chosen.name} {datastore.name}"
        confirm_replacing(datastore, confirm, command, app)

        def fill(incoming: IncomingDump) -> None:
            self._read(chosen, incoming.write)

        self.replacing.replace(actor, app, datastore, fill, f"reading {chosen.name}", progress)
        progress.step(f"Restored {chosen.name} into {datastore.name}")

    def delete(
        self, actor: Actor, name: str, dump: str, kind: DatastoreKind, confirm: str | None
    ) -> Dump:
        """Permanently delete a dump."""
        app = find_app(self.store, actor, name, to=Permission.OWN)
        found = self._dump_of(app, dump, kind)
        if confirm != found.name:
            raise usage_error(
                "confirm",
                f"This deletes the backup {found.name} of {found.datastore}, for good.",
                f"To confirm: paas {kind.traits.prefix}:backups:delete {found.name} "
                f"-a {app.name} --confirm {found.name}",
            )
        if found.state is DumpState.DONE:
            self.captures.delete(found)
            if not self._others(found):
                self.captures.notes.delete(found.datastore)
        self.store.dumps.forget([found])
        return found

    def _others(self, dump: Dump) -> bool:
        """Whether the target has another dump of the same datastore."""
        kept = self.store.dumps.of_datastore(dump.datastore)
        return any(one.state is DumpState.DONE and one.id != dump.id for one in kept)

    def schedule(
        self,
        actor: Actor,
        name: str,
        wanted: str | None,
        kind: DatastoreKind,
        schedule: DumpSchedule | None,
    ) -> Dumped:
        """Dump a datastore each day at that time; None ends that."""
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        found = self.captures.sources.own(app, wanted, kind, to_dump=schedule is not None)
        self.store.dumps.set_schedule(found, schedule, self.clock.now())
        return found

    def scheduled(
        self, actor: Actor, name: str, kind: DatastoreKind
    ) -> list[tuple[Dumped, DumpSchedule | None]]:
        """When each datastore of an app is dumped."""
        app = find_app(self.store, actor, name, to=Permission.VIEW)
        own: list[Dumped] = [
            *(one.datastore for one in of_app(self.store, app) if one.datastore.app_id == app.id),
            *self.store.externals.of_app(app.id),
        ]
        return [(one, self.schedules.status(one).schedule) for one in own if one.kind is kind]

    def _read(self, dump: Dump, sink: Sink) -> None:
        """Give the sink a dump. Raises PaasError, maybe after some of it, if it was replaced."""
        if dump.state is not DumpState.DONE:
            raise PaasError(
                "dump-unusable",
                f"{dump.name} is {dump.state}{f': {dump.why}' if dump.why else '.'}",
                f"See the others: paas {dump.kind.traits.prefix}:backups",
            )
        digest = hashlib.sha256()

        def take(data: bytes) -> None:
            digest.update(data)
            sink(data)

        try:
            self.backups.present().read(dump.object, take)
        except BackupMissingError as error:
            if dump.target != self.backups.target_now().words:
                raise PaasError(
                    "backup-elsewhere",
                    f"{dump.name} is at another target: {dump.target}.",
                    "An admin can set that target again: paas backups:target",
                ) from error
            raise
        if digest.hexdigest() != dump.sha256:
            raise PaasError(
                "backup-damaged",
                f"{dump.object} is not the backup that was made: somebody has replaced it at the "
                "target.",
                f"Use another one: paas {dump.kind.traits.prefix}:backups",
            )

    def _dump_of(self, app: App, dump: str, kind: DatastoreKind) -> Dump:
        found = self.store.dumps.find(dump_id(dump))
        if found is None or found.app_id != app.id:
            raise PaasError(
                "no-such-dump",
                f"{app.name} has no backup {dump!r}.",
                f"List the backups: paas {kind.traits.prefix}:backups -a {app.name}",
            )
        refuse_kind(found.name, found.kind, kind)
        return found

    def _present_name(self, app: App, dump: Dump) -> str | None:
        """The datastore that a dump is of, if the app still has it."""
        own = {one.name for one in self.store.datastores.of_app(app.id)}
        return dump.datastore if dump.datastore in own else None
