"""Datastores from dumps in the target, also from another server or of former datastores."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from paas.domain.datastores.datastores import Datastore
from paas.domain.datastores.dumps import OBJECTS, KeptName, kept_name, kept_names
from paas.domain.datastores.kept_settings import allowed
from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.datastores.names import DatastoreName
from paas.domain.datastores.plans import Plan
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.interfaces import DatastoreServer, Locks, Progress
from paas.interfaces.dumps import DatastoreDumps
from paas.services.access import find_app, refreshed, require_admin
from paas.services.backups.backups import Backups
from paas.services.datastores.archives.notes import Note
from paas.services.datastores.datastores import Datastores
from paas.services.datastores.dumps.notes import DumpNotes
from paas.services.progress import waiting
from paas.store import Store


@dataclass(frozen=True, slots=True)
class KeptDump:
    """A dump in the target. note: what it is of. is_here: whether that is on this server."""

    name: KeptName
    note: Note
    size_bytes: int
    is_here: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DumpRecovery:
    """Creates new datastores; existing ones are not changed."""

    store: Store
    dumps: Mapping[DatastoreKind, DatastoreDumps]
    servers: Mapping[DatastoreKind, DatastoreServer]
    backups: Backups
    notes: DumpNotes
    datastores: Datastores
    locks: Locks

    def kept(self, actor: Actor) -> Sequence[KeptDump]:
        """The dumps in the target, by datastore and time."""
        require_admin(actor, "recover datastores")
        present = {one.name for one in self.store.datastores.all()}
        present |= {one.name for one in self.store.externals.all()}
        notes: dict[DatastoreName, Note] = {}
        found = []
        for stored in self.backups.present().listing(OBJECTS):
            for name in kept_names(stored.name):
                if name.datastore not in notes:
                    notes[name.datastore] = self.notes.read(name.datastore)
                note, is_here = notes[name.datastore], name.datastore in present
                found.append(KeptDump(name, note, stored.size_bytes, is_here))
        return found

    def recover(
        self,
        actor: Actor,
        name: str,
        wanted: str,
        plan: Plan | None,
        progress: Progress,
        made: Callable[[DatastoreName], None],
    ) -> Datastore:
        """Create a datastore for an app from a dump, and attach it.

        plan: None means the former one. A dump that is damaged or encrypted with another key is
        refused before anything is created.
        """
        require_admin(actor, "recover datastores")
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        chosen = kept_name(wanted)
        note = self.notes.read(chosen.datastore)
        kind, dumps = note.kind, self.dumps[note.kind]
        version = self.servers[kind].ensure_installed(progress)
        with dumps.spool() as incoming:
            with progress.doing(f"reading {chosen}"):
                self.backups.present().read(chosen.object, incoming.write)
            with self.locks.app(app.id, f"{actor.name} recovers a datastore", waiting(progress)):
                app = refreshed(self.store, app)
                self.datastores.quotas.refuse_full(actor, app)

                def fill(new: Datastore) -> None:
                    dumps.load(new, incoming, lambda _text: None)

                order = (kind, plan or note.plan, version)
                files = self.servers[kind].create
                settings = allowed(kind, note.settings, plan or note.plan)
                new = self.datastores.make(app, order, files, progress, settings, fill=fill)
        progress.step(f"Created {new.name} from {chosen}")
        note.tell_left_out(settings, progress)
        made(new.name)
        self.datastores.attachments.add(actor, app, new, None, progress)
        return new
