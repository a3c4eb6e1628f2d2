"""Notes beside the dumps: what each is of, for whoever has nothing but the target and the key.

They are objects of the target, encrypted as all backups are; one for each that is dumped.
"""

from contextlib import suppress
from dataclasses import dataclass

from paas.domain.datastores.datastores import Datastore
from paas.domain.datastores.dumps import Dumped
from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.datastores.names import DatastoreName
from paas.domain.datastores.plans import SMALL
from paas.domain.values.errors import PaasError
from paas.services.backups.backups import Backups
from paas.services.datastores.archives.notes import Note, note_from, note_text
from paas.store import Store

_FOLDER = "dump-notes"


@dataclass(frozen=True, slots=True, kw_only=True)
class DumpNotes:
    """In the target that is set now."""

    store: Store
    backups: Backups

    def write(self, one: Dumped) -> None:
        """Write the one of what was dumped, unless it is there as it is. Raises PaasError."""
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
        """What is known of it; by its name alone if there is none.

        Raises PaasError if another key encrypted it, or nothing tells the kind.
        """
        data = bytearray()
        try:
            self.backups.present().read(_object(name), data.extend)
        except PaasError as error:
            word = name.partition("-")[0]
            if error.reference != "backup-missing" or word not in {*DatastoreKind}:
                raise
            return Note(DatastoreKind(word), "", SMALL, "")
        return note_from(bytes(data), name)

    def delete(self, name: DatastoreName) -> None:
        """Once there is no dump of it. No error if there is none."""
        self.backups.present().delete(_object(name))


def _object(name: DatastoreName) -> str:
    return f"{_FOLDER}/{name}.age"
