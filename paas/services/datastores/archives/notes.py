"""Notes beside the archives: what each is of, for whoever has nothing but the target and the key.

They are objects of the target, encrypted as all backups are.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from paas.domain.backups.targets import Target
from paas.domain.datastores.archives import ArchiveName, archive_name
from paas.domain.datastores.datastores import Datastore
from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.datastores.plans import PLANS, SMALL, Plan
from paas.domain.values.errors import PaasError
from paas.interfaces import BackupSettings, EncryptedObjects
from paas.store import Store

_FOLDER = "archive-notes"


@dataclass(frozen=True, slots=True)
class Note:
    """What an archive is of. app: to which its datastore belonged."""

    kind: DatastoreKind
    version: str
    plan: Plan
    app: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveNotes:
    """In the target that is set now. open_target: the objects that one keeps."""

    store: Store
    settings: BackupSettings
    open_target: Callable[[Target], EncryptedObjects]

    def write(self, datastore: Datastore) -> None:
        """Write the one of a datastore's archive, unless it is there. Raises PaasError."""
        name = archive_name(datastore)
        if name in self.listing():
            return
        app = self.store.apps.by_id(datastore.app_id)
        named = app.name if app is not None else ""
        note = Note(datastore.kind, datastore.version, datastore.plan, named)
        self._objects().write(_object(name), iter([note_text(note)]))

    def listing(self) -> Sequence[ArchiveName]:
        """The archives of which there is a note, by name. Raises PaasError."""
        names = (one.name.partition("/")[2] for one in self._objects().listing(_FOLDER))
        return sorted(map(ArchiveName, names))

    def read(self, name: ArchiveName) -> Note:
        """What an archive is of.

        Raises PaasError: ``no-such-archive``, or ``backup-key`` where another key encrypted it.
        """
        if name not in self.listing():
            raise PaasError(
                "no-such-archive",
                f"There is no archive {name} in the target.",
                "List those that there are: paas backups:recover",
            )
        data = bytearray()
        self._objects().read(_object(name), data.extend)
        return note_from(bytes(data), name)

    def delete(self, name: ArchiveName) -> None:
        """No error if there is none."""
        self._objects().delete(_object(name))

    def _objects(self) -> EncryptedObjects:
        return self.open_target(self.settings.target())


def _object(name: ArchiveName) -> str:
    return f"{_FOLDER}/{name}"


def note_text(note: Note) -> bytes:
    """As it is kept."""
    plain = {
        "kind": str(note.kind),
        "version": note.version,
        "plan": note.plan.name,
        "app": note.app,
    }
    return json.dumps(plain).encode()


def note_from(data: bytes, name: str) -> Note:
    """One that was kept. name: of what it is the note of. Raises PaasError."""
    try:
        plain = json.loads(data)
        return Note(
            DatastoreKind(plain["kind"]),
            str(plain["version"]),
            PLANS.get(plain["plan"], SMALL),
            str(plain["app"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise PaasError(
            "archive-unreadable",
            f"The note of {name} is damaged.",
            "See that the target is as this server left it: paas backups:test",
        ) from error
