"""When datastores are dumped, and which have had no good dump for too long.

The monitor uses this, so it imports little. Missing dumps are detected here and not by what makes
them, which may be the part that is not running.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from paas.domain.datastores.datastores import Datastore, DatastoreState
from paas.domain.datastores.dumps import (
    Dump,
    Dumped,
    DumpSchedule,
    DumpState,
    is_due,
    newest_good,
    overdue_since,
)
from paas.domain.datastores.external import External
from paas.interfaces import Clock, Locks
from paas.store import Store


@dataclass(frozen=True, slots=True)
class DumpStatus:
    """What is known of a datastore's dumps.

    overdue: since when there has been no good one, if that is too long. last: the newest good one.
    """

    schedule: DumpSchedule | None
    last: Dump | None
    overdue: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DumpSchedules:
    """Judges only by the store and the clock."""

    store: Store
    locks: Locks
    clock: Clock

    def due(self) -> list[Dumped]:
        """The datastores that should be dumped now."""
        now = self.clock.now()
        found: list[Dumped] = []
        for one in self._dumped():
            schedule, since = self.store.dumps.schedule(one)
            made = [self._as_it_is(one, dump) for dump in self._dumps(one) if dump.user is None]
            if schedule is not None and is_due(schedule, since, made, now):
                found.append(one)
        return found

    def overdue(self) -> list[tuple[Dumped, datetime]]:
        """Scheduled datastores that have had no good dump for too long, and since when."""
        found: list[tuple[Dumped, datetime]] = []
        for one in self._dumped():
            since = self.status(one).overdue
            if since is not None:
                found.append((one, since))
        return found

    def status(self, datastore: Dumped) -> DumpStatus:
        """The status of one datastore; a follower is not dumped, since its leader is."""
        schedule, since = self.store.dumps.schedule(datastore)
        if isinstance(datastore, Datastore) and datastore.following is not None:
            schedule = None
        dumps = self._dumps(datastore)
        overdue = overdue_since(since, dumps, self.clock.now()) if schedule is not None else None
        return DumpStatus(schedule, newest_good(dumps), overdue)

    def _as_it_is(self, datastore: Dumped, dump: Dump) -> Dump:
        """A dump that nobody is making any longer has failed, whatever is recorded."""
        elsewhere = isinstance(datastore, External)
        is_made = self.locks.is_dumping(datastore.id, elsewhere=elsewhere)
        if dump.state is DumpState.RUNNING and not is_made:
            return replace(dump, state=DumpState.FAILED)
        return dump

    def _dumped(self) -> list[Dumped]:
        """A follower is not: its leader is."""
        own = [
            one
            for one in self.store.datastores.all()
            if one.state is DatastoreState.READY and one.following is None
        ]
        return [*own, *self.store.externals.all()]

    def _dumps(self, datastore: Dumped) -> list[Dump]:
        return self.store.dumps.of_datastore(datastore.name)
