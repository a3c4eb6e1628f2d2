"""Archives of datastores in memory."""

from datetime import UTC, datetime

from paas.domain.datastores.archives import (
    ArchiveName,
    Archiving,
    BaseBackup,
    Holdings,
    Rehearsal,
    archive_name,
)
from paas.domain.datastores.datastores import Datastore
from paas.domain.values.errors import PaasError
from paas.interfaces import Progress

MOMENT = datetime(2025, 12, 31, 23, 59, 50, tzinfo=UTC)


class FakeArchives:
    """`DatastoreArchives`. kept: the backups of each archive. made: files of new datastores, and of
    what they were made.

    missing: pgBackRest is not installed. fail: raised by the next use. now: the end of each flush.
    """

    def __init__(self) -> None:
        self.kept: dict[ArchiveName, list[BaseBackup]] = {}
        self.made: list[tuple[str, str, datetime | None]] = []
        self.beats: list[str] = []
        self.missing = False
        self.reaches = True
        self.fail: PaasError | None = None
        self.state = Archiving(MOMENT, None, None)
        self.now = MOMENT
        self.rehearsal = Rehearsal(MOMENT, 3, ())
        self.room = (100, 1_000)

    def lack(self) -> PaasError | None:
        return PaasError("archive-missing", "pgBackRest is missing.") if self.missing else None

    def ensure_installed(self, progress: Progress) -> None:
        self.missing = False

    def is_kept(self, datastore: Datastore) -> bool:
        return True

    def reaches_target(self, datastore: Datastore) -> bool:
        return self.reaches

    def beat(self, datastore: Datastore) -> None:
        self.beats.append(datastore.name)

    def has_lost(self, datastore: Datastore) -> bool:
        return self.state.lost_since is not None

    def archiving(self, datastore: Datastore) -> Archiving:
        return self.state

    def flush(self, datastore: Datastore, limit_s: float) -> datetime:
        self._fail()
        return self.now

    def refuse_unreachable(self) -> None:
        self._fail()

    def back_up(self, datastore: Datastore, *, full: bool) -> None:
        made = BaseBackup(f"{len(self.kept)}", full, self.now, self.now, 100, 10)
        self.kept.setdefault(archive_name(datastore), []).append(made)

    def holdings(self, name: ArchiveName, datastore: Datastore | None) -> Holdings | None:
        found = self.kept.get(name)
        return Holdings(tuple(found), "15") if found is not None else None

    def fork(self, source: Datastore, new: Datastore, moment: datetime | None) -> None:
        self.made.append((new.name, source.name, moment))

    def recover(self, name: ArchiveName, new: Datastore, moment: datetime | None) -> None:
        self.made.append((new.name, name, moment))

    def rehearse(self, datastore: Datastore) -> Rehearsal:
        return self.rehearsal

    def space(self, datastore: Datastore) -> tuple[int, int]:
        return self.room

    def leave(self, datastore: Datastore, *, kept: bool) -> None:
        if not kept:
            self.kept.pop(archive_name(datastore), None)

    def remove(self, name: ArchiveName) -> None:
        self._fail()
        self.kept.pop(name, None)

    def _fail(self) -> None:
        if self.fail is not None:
            failed, self.fail = self.fail, None
            raise failed
