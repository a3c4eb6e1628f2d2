"""Dumps of datastores: what is recorded of each, when they are made, and how long they are kept."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from paas.domain.datastores.datastores import Datastore
from paas.domain.datastores.external import External
from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.datastores.names import DatastoreName
from paas.domain.values.errors import usage_error
from paas.domain.values.names import shown

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

# A datastore without a good dump for so long is in danger: a day, and time to make one.
OVERDUE = timedelta(hours=26)
# After one that failed.
AGAIN = timedelta(hours=1)
DAILY, WEEKLY = 7, 4
# Of those that were made by hand, which only their users delete.
BY_HAND_MAX = 20
# What the monitor asks of the gate. No command, and root's alone.
DUE_COMMAND = "backups:due"
# Of the target; each that is dumped is a directory in it.
OBJECTS = "datastores"
_OBJECT_END = ".dump.age"
_KEPT = re.compile(r"([a-z]{1,12}-[a-z0-9-]{1,41})/(b[0-9]{1,12}-[0-9]{8}T[0-9]{6}Z)")
_EXAMPLE = "For example: --at '02:00 Europe/Stockholm'"


# What can be dumped.
Dumped = Datastore | External


class DumpState(StrEnum):
    """RUNNING: being made, or interrupted. DONE: it has been read back. FAILED: no content."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dump:
    """A dump of a datastore. app_id: of the app to which the datastore belongs or belonged.

    version: of the server that was dumped. object: its name at the target, which target describes.
    user: who made it; None if the schedule did. size_bytes: before encryption. sha256: of the same.
    why: the reason why it failed.
    """

    id: int
    app_id: int
    datastore: DatastoreName
    kind: DatastoreKind
    version: str
    object: str
    target: str
    user: str | None
    state: DumpState
    started_at: datetime
    ended_at: datetime | None = None
    size_bytes: int = 0
    sha256: str = ""
    why: str = ""

    @property
    def name(self) -> str:
        """The name for users, in Heroku's form."""
        return f"b{self.id:03d}"


@dataclass(frozen=True, slots=True)
class KeptName:
    """The name of a dump at a target: ``mysql-curly-1234/b012-20261129T154200Z``.

    dump: ``b012-20261129T154200Z``, since a server that was lost may have had another b012.
    """

    datastore: DatastoreName
    dump: str

    def __str__(self) -> str:
        return f"{self.datastore}/{self.dump}"

    @property
    def object(self) -> str:
        """The object's name."""
        return f"{OBJECTS}/{self}{_OBJECT_END}"


def object_of(datastore: DatastoreName, number: int, made_at: datetime) -> str:
    """The name of the object of a dump.

    It includes the time, since a database that is an older copy assigns the same number again.
    """
    return KeptName(datastore, f"b{number:03d}-{made_at:%Y%m%dT%H%M%SZ}").object


def kept_names(stored: str) -> list[KeptName]:
    """The dump that an object of a target contains, or None if it is something else."""
    name = stored.removeprefix(f"{OBJECTS}/").removesuffix(_OBJECT_END)
    found = _KEPT.fullmatch(name)
    return [KeptName(DatastoreName(found[1]), found[2])] if found else []


def kept_name(text: str) -> KeptName:
    """Read one. Raises PaasError."""
    found = _KEPT.fullmatch(text)
    if found is None:
        raise usage_error(
            "dump-name",
            f"{shown(text)} is not the name of a backup in the target, such as "
            "mysql-curly-1234/b012-20261129T154200Z.",
            "List them: paas backups:recover",
        )
    return KeptName(DatastoreName(found[1]), found[2])


@dataclass(frozen=True, slots=True)
class DumpSchedule:
    """When a datastore is dumped, each day. zone: of the IANA database."""

    at: time
    zone: str

    @property
    def words(self) -> str:
        """``02:00 Europe/Stockholm``."""
        return f"{self.at:%H:%M} {self.zone}"

    def latest(self, now: datetime) -> datetime:
        """The last time that it was due, at or before now."""
        zone = _zone(self.zone)
        day = now.astimezone(zone).date()
        due = datetime.combine(day, self.at, zone)
        if due > now:
            due = datetime.combine(day - timedelta(days=1), self.at, zone)
        return due


def default_schedule(datastore: DatastoreName) -> DumpSchedule:
    """Each night between midnight and six UTC, at a minute that depends on the name."""
    minute = int.from_bytes(hashlib.sha256(datastore.encode()).digest()[:4]) % (6 * 60)
    return DumpSchedule(time(minute // 60, minute % 60), "UTC")


def parse_schedule(text: str) -> DumpSchedule:
    """Read ``HH:MM [ZONE]``, as Heroku has it; UTC without a zone. Raises PaasError."""
    clock, _, zone = text.strip().partition(" ")
    found = re.fullmatch(r"([01]?[0-9]|2[0-3]):([0-5][0-9])", clock)
    if found is None:
        raise usage_error("dump-schedule", f"{shown(text)} has no time of day.", _EXAMPLE)
    zone = zone.strip() or "UTC"
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9_+/-]{1,63}", zone) is None or not _is_zone(zone):
        raise usage_error("dump-schedule", f"{shown(zone)} is not a time zone.", _EXAMPLE)
    return DumpSchedule(time(int(found[1]), int(found[2])), zone)


def _zone(name: str) -> "ZoneInfo":
    """Imported where it is used: most servers dump nothing, and it takes half a megabyte."""
    from zoneinfo import ZoneInfo

    return ZoneInfo(name)


def _is_zone(zone: str) -> bool:
    try:
        _zone(zone)
    except (KeyError, ValueError, OSError):
        return False
    return True


def dump_id(text: str) -> int:
    """Read ``b012``. Raises PaasError."""
    found = re.fullmatch(r"b([0-9]{1,12})", text)
    if found is None:
        raise usage_error(
            "dump-name",
            f"{shown(text)} is not the name of a backup, such as b012.",
            "List the backups: paas pg:backups -a APP (or mysql:backups, redis:backups)",
        )
    return int(found[1])


def is_due(schedule: DumpSchedule, made_at: datetime, dumps: Sequence[Dump], now: datetime) -> bool:
    """Whether a datastore should be dumped now. dumps: those by the schedule.

    What was missed while the server was down is made up for, and what failed is tried again.
    made_at: when the datastore itself was created.
    """
    latest = schedule.latest(now)
    if latest <= made_at:
        return False
    tried = [one for one in dumps if one.started_at >= latest]
    if any(one.state is not DumpState.FAILED for one in tried):
        return False
    return all(now - one.started_at >= AGAIN for one in tried)


def newest_good(dumps: Sequence[Dump]) -> Dump | None:
    """The last dump that was read back."""
    good = [one for one in dumps if one.state is DumpState.DONE]
    return max(good, key=lambda one: one.started_at, default=None)


def overdue_since(made_at: datetime, dumps: Sequence[Dump], now: datetime) -> datetime | None:
    """Since when a scheduled datastore has had no good dump, if that is too long.

    made_at: when the datastore itself, or its schedule, was created.
    """
    good = newest_good(dumps)
    since = max(made_at, good.started_at) if good is not None else made_at
    return since if now - since > OVERDUE else None


def expired(dumps: Sequence[Dump]) -> list[Dump]:
    """Which scheduled dumps of one datastore are no longer kept.

    The last of each of seven days and of four weeks are kept. Only days and weeks that have any
    count, so a pause deletes nothing. Failed ones are kept until there is a newer good one.
    """
    good = sorted(
        (one for one in dumps if one.state is DumpState.DONE and one.user is None),
        key=lambda one: one.started_at,
        reverse=True,
    )
    kept: set[int] = set()
    for limit, form in ((DAILY, "%Y-%m-%d"), (WEEKLY, "%G-%V")):
        last_of: dict[str, int] = {}
        for one in good:
            last_of.setdefault(f"{one.started_at:{form}}", one.id)
        kept |= {*list(last_of.values())[:limit]}
    newest = good[0].started_at if good else None
    failed = [
        one
        for one in dumps
        if one.state is DumpState.FAILED and newest is not None and one.started_at < newest
    ]
    return [one for one in good if one.id not in kept] + failed
