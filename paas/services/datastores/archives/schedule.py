"""When work on archives is due, and the time that is written into datastores."""

from collections.abc import Mapping
from dataclasses import dataclass

from paas.domain.datastores.archives import Task, TaskRun, due_backup, is_rehearsal_due
from paas.domain.datastores.datastores import Datastore, DatastoreState
from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.values.errors import PaasError
from paas.interfaces import BackupSettings, Clock, DatastoreArchives
from paas.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveSchedule:
    """Decides by the minute that a datastore's name gives, and by what was recorded."""

    store: Store
    archives: Mapping[DatastoreKind, DatastoreArchives]
    settings: BackupSettings
    clock: Clock

    def is_due(self) -> bool:
        """Whether `ArchiveJobs.run_due` would do anything."""
        kept = self.store.archives.kept()
        return any(until <= self.clock.now() for until in kept.values()) or any(
            self.due(one) is not None for one in self.archiving()
        )

    def beat(self) -> None:
        """Once a minute: see `DatastoreArchives`. Servers that are down are reported elsewhere."""
        for one in self.archiving():
            try:
                self.archives[one.kind].beat(one)
            except PaasError:
                continue

    def due(self, one: Datastore) -> Task | None:
        """What is due for a datastore now."""
        runs, now = self.runs(one), self.clock.now()
        lost = self.archives[one.kind].has_lost(one)
        if (task := due_backup(one.name, runs, now, lost=lost)) is not None:
            return task
        return Task.REHEARSAL if is_rehearsal_due(one.name, runs, now) else None

    def runs(self, one: Datastore) -> list[TaskRun]:
        """What was done for a datastore in the current target."""
        return self.store.archives.runs(one.id, self.settings.target().words)

    def archiving(self) -> list[Datastore]:
        """The datastores whose servers archive."""
        return [
            one
            for one in self.store.datastores.all()
            if one.state is DatastoreState.READY
            and one.following is None
            and one.kind in self.archives
            and self.archives[one.kind].lack() is None
            and self.archives[one.kind].is_kept(one)
        ]
