"""Notes beside the dumps, which say what each is of, even without the server that made them.

They are objects of the target, encrypted as all backups are, one for each datastore.
"""

from contextlib import suppress
from dataclasses import dataclass

from paas.domain.datastores.datastores import Datastore
from paas.domain.datastores.dumps import Dumped
from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.datastores.names import DatastoreName
from paas.domain.datastores.plans import SMALL
from paas.domain.values.errors import BackupMissingError, PaasError
from paas.services.backups.backups import Backups
from paas.services.datastores.archives.notes import Note, note_from, note_text
from paas.store import Store

_FOLDER = "dump-notes"


@dataclass(frozen=True, slots=True, kw_only=True)
class DumpNotes:
    """Notes in the current target."""

    store: Store
    backups: Backups

    def write(self, one: Dumped) -> None:
        """Write the note of what was dumped, unless it is up to date. Raises PaasError."""
        objects, name = self.backups.present(), _object(one.name)
        app = self.store.apps.by_id(one.app_id)
        plan, settings = (one.plan, one.settings) if isinstance(one, Datastore) else (SMALL, {})
        named = app.name if app is not None else ""
        note = Note(one.kind, one.version, plan, named, dict(settings))
        if name in {found.name for found in objects.listing(_FOLDER)}:
            with suppress(PaasError):  # damaged, or of another key
                if self.read(one.name) == note:
                    return
        objects.write(name, iter([note_text(note)]))

    def read(self, name: DatastoreName) -> Note:
        """What is known of a datastore; by its name alone if there is no note.

        Raises PaasError if another key encrypted it, or the kind is unknown.
        """
        data = bytearray()
        try:
            self.backups.present().read(_object(name), data.extend)
        except BackupMissingError:
            word = name.partition("-")[0]
            if word not in {*DatastoreKind}:
                raise
            return Note(DatastoreKind(word), "", SMALL, "")
        return note_from(bytes(data), name)

    def delete(self, name: DatastoreName) -> None:
        """Delete a note once there is no dump left; no error if there is none."""
        self.backups.present().delete(_object(name))


def _object(name: DatastoreName) -> str:
    return f"{_FOLDER}/{name}.age"
