"""Making dumps of datastores, also on schedule, and deleting those that are no longer kept."""

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass

from paas.domain.datastores.dumps import Dump, Dumped, DumpState, expired
from paas.domain.datastores.external import External
from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.people.actors import Actor
from paas.domain.values.errors import PaasError
from paas.interfaces import Clock, Locks, Logs
from paas.interfaces.dumps import DatastoreDumps
from paas.services.access import require_server
from paas.services.backups.backups import Backups
from paas.services.datastores.dumps.notes import DumpNotes
from paas.services.datastores.dumps.schedules import DumpSchedules
from paas.services.datastores.dumps.sources import DumpSources
from paas.store import Store

_LOG = "backups"


@dataclass(frozen=True, slots=True, kw_only=True)
class Captures:
    """Makes dumps. Whoever makes one holds the lock of that datastore's dumps."""

    store: Store
    dumps: Mapping[DatastoreKind, DatastoreDumps]
    sources: DumpSources
    notes: DumpNotes
    backups: Backups
    schedules: DumpSchedules
    locks: Locks
    logs: Logs
    clock: Clock

    def capture(
        self,
        datastore: Dumped,
        user: str | None,
        begun: Callable[[Dump], None] = lambda _dump: None,
    ) -> Dump:
        """Dump a datastore to the target; the dump counts once it has been read back.

        user: None if the schedule made it. begun: called once it is recorded. Raises PaasError;
        then there is no object, and the failure is recorded.
        """
        with self.locks.dumping(datastore.id, elsewhere=isinstance(datastore, External)):
            objects, target = self.backups.present(), self.backups.target_now()
            made = self.store.dumps.begin(datastore, target.words, user, self.clock.now())
            try:
                begun(made)
                # Closed at once if it is not read to its end: a program may be printing it.
                with closing(self.sources.dump(datastore, compressed=True)) as parts:
                    written = objects.write(
                        made.object, parts, lambda: self.sources.checking(datastore)
                    )
                self.notes.write(datastore)
            except BaseException as error:
                why = error.message if isinstance(error, PaasError) else type(error).__name__
                self.store.dumps.fail(made.id, self.clock.now(), why)
                raise
            self.store.dumps.end(
                made.id,
                self.clock.now(),
                size_bytes=written.size_bytes,
                sha256=written.sha256,
            )
        found = self.store.dumps.find(made.id)
        assert found is not None
        return found

    def run_due(self, actor: Actor) -> None:
        """Make the dumps that are due, then delete what is no longer kept; for the monitor.

        Failures are written to the app's log, and tried again after an hour.
        """
        require_server(actor)
        for one in self.schedules.due():
            self.tidy(one)
            try:
                self.capture(one, None)
            except PaasError as error:
                self.logs.write(one.app_id, _LOG, f"No backup of {one.name}: {error.report}")
                continue
            self._expire(one)

    def tidy(self, datastore: Dumped) -> None:
        """Clean up after commands that were killed."""
        elsewhere = isinstance(datastore, External)
        if not self.locks.is_dumping(datastore.id, elsewhere=elsewhere):
            for dump in self.store.dumps.of_datastore(datastore.name):
                if dump.state is DumpState.RUNNING:
                    self._settle(dump)
        if isinstance(datastore, External):
            return
        if not self.locks.app_is_held(datastore.app_id):
            with self.locks.app(datastore.app_id, "the server looks after a datastore"):
                try:
                    self.dumps[datastore.kind].tidy(datastore)
                except PaasError as error:
                    self.logs.write(datastore.app_id, _LOG, f"{datastore.name}: {error.report}")

    def _settle(self, dump: Dump) -> None:
        """Mark an interrupted dump as failed, since nobody knows whether it is complete."""
        try:
            self.delete(dump)
        except PaasError:
            return  # the target is away: later
        self.store.dumps.fail(dump.id, self.clock.now(), "It was interrupted.")

    def delete(self, dump: Dump) -> None:
        """Delete a dump's object, but not its record. Raises PaasError if it is elsewhere."""
        if dump.target != self.backups.target_now().words:
            raise PaasError(
                "backup-elsewhere",
                f"{dump.name} is at another target: {dump.target}.",
                "An admin can set that target again: paas backups:target",
            )
        self.backups.present().delete(dump.object)

    def _expire(self, datastore: Dumped) -> None:
        for dump in expired(self.store.dumps.of_datastore(datastore.name)):
            try:
                if dump.state is DumpState.DONE:
                    self.delete(dump)
            except PaasError:
                continue  # it is at another target, or this one is away
            self.store.dumps.forget([dump])
