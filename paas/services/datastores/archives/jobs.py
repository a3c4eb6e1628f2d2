"""Scheduled work on archives: backups, rehearsals, and deleting what is no longer kept.

Each result is recorded. Another process judges what is missing (watch.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from paas.domain.datastores.archives import (
    REHEARSAL_ROOM,
    Outcome,
    Task,
    TaskRun,
    restorable_from,
)
from paas.domain.datastores.datastores import Datastore
from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.domain.values.errors import PaasError
from paas.domain.values.sizes import size_words
from paas.interfaces import Clock, DatastoreArchives, Locks, Logs, Progress, ServerLock
from paas.services.access import find_app
from paas.services.datastores.archives.notes import ArchiveNotes
from paas.services.datastores.archives.schedule import ArchiveSchedule
from paas.services.datastores.finding import refuse_follower, visible
from paas.services.datastores.upkeep import DatastoreUpkeep
from paas.services.progress import waiting
from paas.store import Store

_SOURCE = "datastore"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveJobs:
    """One job at a time on a server."""

    store: Store
    archives: Mapping[DatastoreKind, DatastoreArchives]
    schedule: ArchiveSchedule
    notes: ArchiveNotes
    upkeep: DatastoreUpkeep
    locks: Locks
    logs: Logs
    clock: Clock

    def run_due(self, progress: Progress) -> None:
        """Make the backups and rehearsals that are due. Failures are recorded and tried again."""
        with self.locks.server(ServerLock.ARCHIVES, "the server looks after backups"):
            for one in self.schedule.archiving():
                if (task := self.schedule.due(one)) is not None:
                    self._recorded(one, task)
            self._delete_kept(progress)

    def rehearse(self, actor: Actor, name: str, wanted: str | None, progress: Progress) -> TaskRun:
        """Rehearse the backup of an app's PostgreSQL now, and return the result."""
        app = find_app(self.store, actor, name, to=Permission.OPERATE)
        one = visible(self.store, app, wanted, DatastoreKind.POSTGRESQL).datastore
        refuse_follower(one, "has no archive to rehearse")
        archive = self.archives[one.kind]
        if (lack := archive.lack()) is not None:
            raise lack
        with self.locks.server(
            ServerLock.ARCHIVES, f"{actor.name} rehearses a backup", waiting(progress)
        ):
            if restorable_from(self.schedule.runs(one)) is None:
                raise no_backup_yet(one.name)
            with progress.doing(f"restoring {one.name} to a copy and checking it"):
                return self._recorded(one, Task.REHEARSAL)

    def _done(self, one: Datastore, task: Task) -> tuple[Outcome, str]:
        archive = self.archives[one.kind]
        archive.refuse_unreachable()
        if task is Task.REHEARSAL:
            return self._rehearsed(one)
        if not archive.reaches_target(one):
            self.upkeep.restart(one)
        archive.back_up(one, full=task is Task.FULL)
        self.notes.write(one)
        return Outcome.DONE, ""

    def _rehearsed(self, one: Datastore) -> tuple[Outcome, str]:
        archive = self.archives[one.kind]
        size_bytes, free_bytes = archive.space(one)
        if free_bytes < REHEARSAL_ROOM * size_bytes:
            return Outcome.SKIPPED, (
                f"A copy needs {size_words(int(REHEARSAL_ROOM * size_bytes))} of disk space, but "
                f"only {size_words(free_bytes)} is free."
            )
        found = archive.rehearse(one)
        if found.problems:
            return Outcome.FAILED, " ".join(found.problems)
        return Outcome.DONE, f"{found.tables} table{'' if found.tables == 1 else 's'}"

    def _recorded(self, one: Datastore, task: Task) -> TaskRun:
        """Do it, and record and return the result."""
        started = self.clock.now()
        try:
            outcome, words = self._done(one, task)
        except PaasError as error:
            outcome, words = Outcome.FAILED, error.report
        run = TaskRun(task, started, self.clock.now(), outcome, words)
        before = next((r for r in self.schedule.runs(one) if r.task is task), None)
        self.store.archives.record(one.id, self.schedule.settings.target().words, run)
        # The watch reports what fails again for the same reason.
        if outcome is not Outcome.DONE and (before is None or before.words != words):
            self.logs.write(one.app_id, _SOURCE, f"{one.name}: {task} {outcome}: {words}")
        return run

    def _delete_kept(self, progress: Progress) -> None:
        for name, until in self.store.archives.kept().items():
            if until > self.clock.now():
                continue
            try:
                for archive in self.archives.values():
                    archive.remove(name)
                self.notes.delete(name)
                self.store.archives.forget(name)
            except PaasError as error:
                progress.warn(f"{name}: {error.report}")


def no_backup_yet(name: str) -> PaasError:
    """The error before the first backup."""
    return PaasError(
        "archive-empty",
        f"There is no backup of {name} yet.",
        "The first one is made within minutes; see: paas pg:info",
    )
