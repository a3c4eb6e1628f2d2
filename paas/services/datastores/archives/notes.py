"""Notes beside the archives, which say what each is of, even without the server that made them.

They are objects of the target, encrypted as all backups are.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from paas.domain.backups.targets import Target
from paas.domain.datastores.archives import ArchiveName, archive_name
from paas.domain.datastores.datastores import Datastore
from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.datastores.plans import PLANS, SMALL, Plan
from paas.domain.values.errors import PaasError
from paas.interfaces import BackupSettings, EncryptedObjects, Progress
from paas.store import Store

_FOLDER = "archive-notes"


@dataclass(frozen=True, slots=True)
class Note:
    """What an archive is of. app: to which its datastore belonged. settings: see `Datastore`."""

    kind: DatastoreKind
    version: str
    plan: Plan
    app: str
    settings: Mapping[str, str] = field(default_factory=dict)

    def tell_left_out(self, taken: Mapping[str, str], progress: Progress) -> None:
        """Warn of the settings that a recovered datastore does not have again."""
        for name in sorted(self.settings.keys() - taken.keys()):
            progress.warn(f"{name} has its default: it was {self.settings[name]}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveNotes:
    """Notes in the current target. open_target: returns the objects of a target."""

    store: Store
    settings: BackupSettings
    open_target: Callable[[Target], EncryptedObjects]

    def write(self, datastore: Datastore) -> None:
        """Write the note of a datastore's archive, unless it is up to date. Raises PaasError."""
        name = archive_name(datastore)
        app = self.store.apps.by_id(datastore.app_id)
        named = app.name if app is not None else ""
        plan, settings = datastore.plan, datastore.settings
        note = Note(datastore.kind, datastore.version, plan, named, dict(settings))
        if name in self.listing():
            with suppress(PaasError):  # damaged, or of another key
                if self._read(name) == note:
                    return
        self._objects().write(_object(name), iter([note_text(note)]))

    def listing(self) -> Sequence[ArchiveName]:
        """The archives that have a note, by name. Raises PaasError."""
        names = (one.name.partition("/")[2] for one in self._objects().listing(_FOLDER))
        return sorted(map(ArchiveName, names))

    def read(self, name: ArchiveName) -> Note:
        """What an archive is of.

        Raises PaasError: ``no-such-archive``, or ``backup-key`` if another key encrypted it.
        """
        if name not in self.listing():
            raise PaasError(
                "no-such-archive",
                f"There is no archive {name} in the target.",
                "List the archives: paas backups:recover",
            )
        return self._read(name)

    def _read(self, name: ArchiveName) -> Note:
        data = bytearray()
        self._objects().read(_object(name), data.extend)
        return note_from(bytes(data), name)

    def delete(self, name: ArchiveName) -> None:
        """Delete a note; no error if there is none."""
        self._objects().delete(_object(name))

    def _objects(self) -> EncryptedObjects:
        return self.open_target(self.settings.target())


def _object(name: ArchiveName) -> str:
    return f"{_FOLDER}/{name}"


def note_text(note: Note) -> bytes:
    """The note as it is stored."""
    plain = {
        "kind": str(note.kind),
        "version": note.version,
        "plan": note.plan.name,
        "app": note.app,
        "settings": dict(note.settings),
    }
    return json.dumps(plain).encode()


def note_from(data: bytes, name: str) -> Note:
    """A stored note. name: of the archive. Raises PaasError."""
    try:
        plain = json.loads(data)
        return Note(
            DatastoreKind(plain["kind"]),
            str(plain["version"]),
            PLANS.get(plain["plan"], SMALL),
            str(plain["app"]),
            {str(name): str(value) for name, value in plain.get("settings", {}).items()},
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PaasError(
            "archive-unreadable",
            f"The note of {name} is damaged.",
            "Check that nobody has changed the target: paas backups:test",
        ) from error
