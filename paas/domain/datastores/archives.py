"""Archives of datastores: the copies and write-ahead logs from which one is restored to a moment.

An archive is named after its datastore and the time of its creation, since names are reused, and an
archive outlives its datastore.
"""

import re
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NewType

from paas.domain.backups.keys import BackupKey
from paas.domain.datastores.datastores import Datastore
from paas.domain.values.errors import usage_error
from paas.domain.values.names import shown
from paas.domain.values.secret import Secret

ArchiveName = NewType("ArchiveName", str)

# Of the target; each archive is a directory in it.
FOLDER = "archives"
FULLS_KEPT = 2
# What the monitor asks of the gate. No command, and root's alone.
DUE_COMMAND = "archives:due"
FULL_EVERY = timedelta(days=7)
DAY = timedelta(days=1)
# After a failure, or a target that could not be reached.
AGAIN = timedelta(minutes=10)
# Of a backup that succeeds: a day, and two hours for one that takes long.
MISSING_AFTER = timedelta(hours=26)
FAILING_AFTER = timedelta(minutes=15)
SKIPS_MAX = 3
# How much free disk a rehearsal needs, of the size of the data.
REHEARSAL_ROOM = 1.5
# An archive whose datastore was destroyed.
KEPT_FOR = timedelta(days=7)
_MINUTES = 24 * 60
_RELATIVE = re.compile(r"(\d{1,6}) ?(s|min|m|h|d)(?: ago)?")
_UNITS_S = {"s": 1, "m": 60, "min": 60, "h": 3_600, "d": 86_400}


def archive_name(datastore: Datastore) -> ArchiveName:
    """``postgresql-curly-1234.20261129T154200Z``."""
    return ArchiveName(f"{datastore.name}.{datastore.created_at:%Y%m%dT%H%M%SZ}")


def parse_archive_name(text: str) -> ArchiveName:
    """Validate the name of an archive. Raises PaasError."""
    if re.fullmatch(r"[a-z]{1,12}-[a-z0-9-]{1,41}\.[0-9]{8}T[0-9]{6}Z", text) is None:
        raise usage_error(
            "archive-name",
            f"{shown(text)} is not the name of an archive, such as "
            "postgresql-curly-1234.20261129T154200Z.",
            "List them: paas backups:recover",
        )
    return ArchiveName(text)


def archive_passphrase(key: BackupKey, name: ArchiveName) -> Secret:
    """The passphrase of an archive, derived from the server's key and the archive's name."""
    return key.passphrase(f"archive {name}")


@dataclass(frozen=True, slots=True)
class BaseBackup:
    """A copy of a datastore's files, or of what changed since a former one if it is not full.

    stored_bytes: what it added to the archive. size_bytes: of the files.
    """

    label: str
    full: bool
    started: datetime
    stopped: datetime
    size_bytes: int
    stored_bytes: int


@dataclass(frozen=True, slots=True)
class Holdings:
    """What an archive contains, the oldest backup first. version: of the server."""

    backups: tuple[BaseBackup, ...]
    version: str

    @property
    def oldest(self) -> datetime | None:
        """The earliest moment that can be restored; None if there is no backup yet."""
        return min((_after(one.stopped) for one in self.backups), default=None)


@dataclass(frozen=True, slots=True)
class Archiving:
    """How far the write-ahead log of a running datastore is archived.

    restorable_to: the last moment up to which everything is archived; None if nothing is yet.
    failing_since: when archiving began to fail; None if it works. lost_since: when log files began
    to be dropped, because too many were waiting; a full backup ends that.
    """

    restorable_to: datetime | None
    failing_since: datetime | None
    lost_since: datetime | None


class Task(StrEnum):
    """What is done for an archive on schedule."""

    FULL = "full backup"
    INCREMENTAL = "incremental backup"
    REHEARSAL = "rehearsal"


class Outcome(StrEnum):
    """The result of a task."""

    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class TaskRun:
    """A finished task. words: why it failed or was skipped, or what it found."""

    task: Task
    started: datetime
    ended: datetime
    outcome: Outcome
    words: str


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A restored copy that was checked. restored_to: the newest row of the heartbeat in it.

    problems: differences from the original, in sentences; empty if there are none.
    """

    restored_to: datetime | None
    tables: int
    problems: tuple[str, ...]


def daily_moment(name: str, now: datetime) -> datetime:
    """Today's time of a datastore's daily tasks, at a minute that depends on its name."""
    minute = zlib.crc32(name.encode()) % _MINUTES
    return now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(minutes=minute)


def due_backup(name: str, runs: list[TaskRun], now: datetime, *, lost: bool) -> Task | None:
    """The backup to make now. runs: the recorded ones, the newest first. lost: see `Archiving`."""
    backups = [run for run in runs if run.task in (Task.FULL, Task.INCREMENTAL)]
    if backups and backups[0].outcome is not Outcome.DONE and now - backups[0].ended < AGAIN:
        return None
    done = [run for run in backups if run.outcome is Outcome.DONE]
    fulls = [run for run in done if run.task is Task.FULL]
    if not fulls or lost:
        return Task.FULL
    moment = daily_moment(name, now)
    moment -= DAY if moment > now else timedelta()
    if done[0].started >= moment:
        return None
    # A little less than a week: the minute of the day is the same, and no backup starts early.
    is_old = now - fulls[0].started >= FULL_EVERY - timedelta(hours=1)
    return Task.FULL if is_old else Task.INCREMENTAL


def is_rehearsal_due(name: str, runs: list[TaskRun], now: datetime) -> bool:
    """Weekly, twelve hours after the daily backup; a day later again if it was not made."""
    full = next((run for run in runs if run.task is Task.FULL and _done(run)), None)
    if full is None or now - full.ended < timedelta(hours=1):
        return False
    last = next((run for run in runs if run.task is Task.REHEARSAL), None)
    if last is None:
        return True
    moment = daily_moment(name, now - DAY / 2) + DAY / 2
    moment -= DAY if moment > now else timedelta()
    if last.started >= moment:
        return False
    return not _done(last) or now - last.started >= FULL_EVERY - timedelta(hours=1)


def _done(run: TaskRun) -> bool:
    return run.outcome is Outcome.DONE


def restorable_from(runs: list[TaskRun]) -> datetime | None:
    """The earliest moment that can be restored according to the records; None if there is none."""
    fulls = [run for run in runs if run.task is Task.FULL and _done(run)][:FULLS_KEPT]
    return _after(fulls[-1].ended) if fulls else None


def _after(end: datetime) -> datetime:
    """The first moment that is surely after the end of a backup, which is known to the second."""
    return end.replace(microsecond=0) + timedelta(seconds=1)


def alarms(
    made: datetime, runs: list[TaskRun], archiving: Archiving | None, now: datetime
) -> list[str]:
    """What somebody has to know, in sentences. A success that is missing counts as a failure.

    made: when the datastore was created. runs: the recorded ones, the newest first. archiving: None
    if its server does not answer, which is reported elsewhere.
    """
    found = []
    backups = [run for run in runs if run.task in (Task.FULL, Task.INCREMENTAL)]
    last = next((run for run in backups if _done(run)), None)
    since = last.ended if last else made
    if now - since > MISSING_AFTER:
        why = f" The last one failed: {backups[0].words}." if backups and backups[0].words else ""
        found.append(f"no backup has succeeded since {since:%Y-%m-%d %H:%M} UTC.{why}")
    failing = archiving.failing_since if archiving is not None else None
    if failing is not None and now - failing > FAILING_AFTER:
        found.append(
            f"its changes have not been archived since {failing:%Y-%m-%d %H:%M} UTC, and would "
            "be lost with this machine's disk."
        )
    lost = archiving.lost_since if archiving is not None else None
    if lost is not None:
        found.append(
            f"log files were dropped since {lost:%Y-%m-%d %H:%M} UTC, so that they did not fill "
            "the disk. Moments from then until the next full backup cannot be restored."
        )
    rehearsals = [run for run in runs if run.task is Task.REHEARSAL][:SKIPS_MAX]
    if rehearsals and rehearsals[0].outcome is Outcome.FAILED:
        found.append(f"its backup could not be rehearsed: {rehearsals[0].words}")
    if len(rehearsals) == SKIPS_MAX and all(r.outcome is Outcome.SKIPPED for r in rehearsals):
        found.append(
            f"its backup has not been rehearsed {SKIPS_MAX} times in a row: {rehearsals[0].words}"
        )
    return found


def parse_moment(text: str, now: datetime) -> datetime:
    """Read a time to restore to: ``2026-11-29 14:05:30``, in UTC without an offset; ``10 min ago``.

    Raises PaasError if it is neither, or in the future.
    """
    relative = _RELATIVE.fullmatch(text.strip())
    if relative is not None:
        return now - timedelta(seconds=int(relative[1]) * _UNITS_S[relative[2]])
    try:
        moment = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    except ValueError as error:
        raise usage_error(
            "moment",
            f"{shown(text)} is not a time.",
            "Give a time in UTC, such as --to '2026-11-29 14:05:30', or --to '10 min ago'.",
        ) from error
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    if moment > now:
        raise usage_error(
            "moment",
            f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC is in the future.",
            f"It is {now:%Y-%m-%d %H:%M:%S} UTC now.",
        )
    return moment.astimezone(UTC)
