"""Judges whether datastores can be restored, and tells those who have to know.

A success that is missing counts as a failure, whatever the jobs themselves report.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from paas.domain.datastores.archives import (
    Archiving,
    Outcome,
    Task,
    TaskRun,
    alarms,
    restorable_from,
)
from paas.domain.datastores.datastores import Datastore, DatastoreState
from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.server.findings import Finding
from paas.domain.values.errors import PaasError
from paas.interfaces import BackupSettings, Clock, DatastoreArchives
from paas.store import Store


@dataclass(frozen=True, slots=True)
class Restorable:
    """To which times a datastore can be restored, and the state of its backups.

    lack: why it cannot be restored, in a sentence, or None. since and to: the first and the last
    moment, or None if there is none yet. rehearsed: the last rehearsal. where: the target, in
    words. key_saved: whether somebody confirmed that a copy of the key is kept elsewhere. alarms:
    what is wrong, in sentences.
    """

    lack: str | None
    since: datetime | None = None
    to: datetime | None = None
    rehearsed: TaskRun | None = None
    where: str = ""
    key_saved: bool = False
    alarms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveWatch:
    """Only reads; changes nothing."""

    store: Store
    archives: Mapping[DatastoreKind, DatastoreArchives]
    backups: BackupSettings
    clock: Clock

    def restorable(self, one: Datastore) -> Restorable | None:
        """What `pg:info` shows; None for followers, and for kinds without archives."""
        if one.kind not in self.archives or one.following is not None:
            return None
        archive = self.archives[one.kind]
        if (lack := archive.lack()) is not None:
            return Restorable(lack.message)
        archiving = self._archiving(one)
        if archiving is None:
            return Restorable("It does not answer, or begins to archive at its next start.")
        runs = self._runs(one)
        since = restorable_from(runs)
        return Restorable(
            lack=None,
            since=since,
            to=archiving.restorable_to if since is not None else None,
            rehearsed=next((run for run in runs if run.task is Task.REHEARSAL), None),
            where=self.backups.target().words,
            key_saved=self.backups.saved_at() is not None,
            alarms=tuple(alarms(one.created_at, runs, archiving, self.clock.now())),
        )

    def alarms(self) -> Iterator[tuple[Datastore, str]]:
        """What is wrong with which datastore, in sentences that follow its name."""
        for one in self.store.datastores.all():
            archive = self.archives.get(one.kind) if one.following is None else None
            if one.state is DatastoreState.READY and archive is not None and not archive.lack():
                runs = self._runs(one)
                for words in alarms(one.created_at, runs, self._archiving(one), self.clock.now()):
                    yield one, words

    def findings(self) -> Iterator[Finding]:
        """The same for `doctor`, and what this machine lacks."""
        present = {one.kind for one in self.store.datastores.all()}
        for kind in present & self.archives.keys():
            if (lack := self.archives[kind].lack()) is not None:
                yield Finding(
                    check="archives", message=lack.message, command=str(lack.hint), grave=False
                )
        for one, words in self.alarms():
            app = self.store.apps.by_id(one.app_id)
            yield Finding(
                check="archives",
                message=f"{one.name}: {words}",
                command=f"paas pg:info {one.name} -a {app.name if app else 'APP'}",
                app=app.name if app else None,
            )

    def _runs(self, one: Datastore) -> list[TaskRun]:
        return self.store.archives.runs(one.id, self.backups.target().words)

    def _archiving(self, one: Datastore) -> Archiving | None:
        """None if its server does not answer, or does not archive."""
        archive = self.archives[one.kind]
        try:
            return archive.archiving(one) if archive.is_kept(one) else None
        except PaasError:
            return None


def rehearsal_words(run: TaskRun | None) -> str:
    """When a backup was last rehearsed, and with what result."""
    if run is None:
        return "not yet"
    how = {
        Outcome.DONE: "restored, and the copy matched the original",
        Outcome.FAILED: f"failed: {run.words}",
        Outcome.SKIPPED: f"skipped: {run.words}",
    }
    return f"{run.ended:%Y-%m-%d %H:%M} UTC, {how[run.outcome]}"
