"""What users do with the whole content of a datastore: print, replace, copy and delete it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.domain.values.errors import usage_error
from paas.interfaces import Locks, Progress
from paas.interfaces.backups import Sink
from paas.interfaces.dumps import DatastoreDumps, IncomingDump
from paas.services.access import find_app
from paas.services.datastores.dumps.replacing import (
    Replacing,
    confirm_replacing,
    own_datastore,
)
from paas.services.datastores.dumps.sources import DumpSources
from paas.services.progress import waiting
from paas.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """Works on datastores that an app owns, or that it only uses as long as nothing is changed."""

    store: Store
    dumps: Mapping[DatastoreKind, DatastoreDumps]
    sources: DumpSources
    replacing: Replacing
    locks: Locks

    def export(
        self, actor: Actor, name: str, wanted: str | None, kind: DatastoreKind, sink: Sink
    ) -> None:
        """Give the sink a dump of a datastore as it is now; it is not stored."""
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        for data in self.sources.dump(self.sources.visible(app, wanted, kind)):
            sink(data)

    def load(
        self,
        actor: Actor,
        name: str,
        wanted: str | None,
        kind: DatastoreKind,
        source: Iterator[bytes],
        confirm: str | None,
        progress: Progress,
    ) -> None:
        """Replace everything in a datastore of the app with a dump from elsewhere."""
        app = find_app(self.store, actor, name, to=Permission.OWN)
        found = own_datastore(self.store, app, wanted, kind)
        if not self.dumps[kind].is_empty(found):
            confirm_replacing(found, confirm, f"paas {kind.traits.prefix}:import {found.name}", app)

        def fill(incoming: IncomingDump) -> None:
            for data in source:
                incoming.write(data)

        self.replacing.replace(actor, app, found, fill, "reading the dump", progress)
        progress.step(f"Loaded the dump into {found.name}")

    def copy(
        self,
        actor: Actor,
        source: tuple[str, str],
        target: tuple[str, str],
        kind: DatastoreKind,
        confirm: str | None,
        progress: Progress,
    ) -> None:
        """Replace everything in one datastore with the content of another.

        source, target: the app, and the datastore as it names it.
        """
        giver = find_app(self.store, actor, source[0], to=Permission.CONFIGURE)
        taker = find_app(self.store, actor, target[0], to=Permission.OWN)
        given = self.sources.visible(giver, source[1], kind)
        taken = own_datastore(self.store, taker, target[1], kind)
        if given.name == taken.name:
            raise usage_error("arguments", "The source and the target are the same database.")
        command = f"paas {kind.traits.prefix}:copy {giver.name}::{given.name} {taken.name}"
        if not self.dumps[kind].is_empty(taken):
            confirm_replacing(taken, confirm, command, taker)

        def fill(incoming: IncomingDump) -> None:
            for data in self.sources.dump(given):
                incoming.write(data)

        self.replacing.replace(actor, taker, taken, fill, f"dumping {given.name}", progress)
        progress.step(f"Copied {given.name} to {taken.name}")

    def reset(
        self,
        actor: Actor,
        name: str,
        wanted: str | None,
        kind: DatastoreKind,
        confirm: str | None,
        progress: Progress,
    ) -> None:
        """Delete everything in a datastore of the app; the datastore stays."""
        app = find_app(self.store, actor, name, to=Permission.OWN)
        found = own_datastore(self.store, app, wanted, kind)
        confirm_replacing(found, confirm, f"paas {kind.traits.prefix}:reset {found.name}", app)
        with (
            self.locks.app(app.id, f"{actor.name} empties a datastore", waiting(progress)),
            progress.doing(f"emptying {found.name}") as reword,
        ):
            self.dumps[kind].empty(found, reword)
        progress.step(f"{found.name} is empty")
