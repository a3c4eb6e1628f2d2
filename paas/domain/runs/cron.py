"""Cron jobs: commands of a release that run at set times. All times are UTC.

They are in app.json (``cron``, with Dokku's fields) and in the Procfile, as with Piku:
``cron-cleanup: 0 3 * * * python cleanup.py``.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count

from paas.domain.manifest.appjson import CronJob
from paas.domain.manifest.procfile import Processes, cron_line, is_cron
from paas.domain.values.errors import PaasError
from paas.domain.values.names import printable

JOBS_MAX = 50
HINT = "Five fields, in UTC: minute hour day-of-month month day-of-week. For example: 0 3 * * *"
# What the scheduler asks of the gate: cron:due APP-ID JOB TIME. No command, and root's alone.
DUE_COMMAND = "cron:due"
# A run that is at most this late is made; a schedule has at most one time in it.
LATE = timedelta(seconds=60)
# A clock set back by less repeats no run, as with Debian's cron; by more, it had been wrong.
SET_BACK = timedelta(hours=3)
MISSED_MAX = 1_000
_NAME_CHARS = 30

# The next time of a schedule after a given time, or None if there is none.
NextAfter = Callable[[datetime], datetime | None]


@dataclass(frozen=True, slots=True)
class Job:
    """A job of a release. policy: for a run that is due while another is running.

    suspended: whether app.json suspends it (``maintenance``).
    kind: of its line in the Procfile. position: in app.json, for messages. Each may be empty.
    """

    name: str
    command: str
    schedule: str
    policy: str = "forbid"
    suspended: bool = False
    kind: str = field(default="", compare=False)
    position: str = field(default="", compare=False)

    @property
    def label(self) -> str:
        """As users see its runs: ``cron.cleanup``."""
        return f"cron.{self.name}"


@dataclass(frozen=True, slots=True)
class Missed:
    """Runs that were not made, as nothing looked at the clock. count: at most MISSED_MAX."""

    count: int
    first: datetime
    last: datetime

    @property
    def words(self) -> str:
        """``3 runs, from 2026-11-20 10:20 to 2026-11-20 10:40 UTC``."""
        if self.count == 1:
            return f"the run of {self.first:%Y-%m-%d %H:%M} UTC"
        number = f"{self.count} runs" if self.count < MISSED_MAX else f"{MISSED_MAX} runs or more"
        return f"{number}, from {self.first:%Y-%m-%d %H:%M} to {self.last:%Y-%m-%d %H:%M} UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobState:
    """What is recorded about a job, by its name, across releases.

    suspended: what was said by hand, or None. due: the latest time of the schedule that was dealt
    with. started, user, ended, status: of the latest run; ended without a status: interrupted.
    missed: how many runs since then, missed_at: the last of them.
    """

    suspended: bool | None = None
    due: datetime | None = None
    started: datetime | None = None
    user: str | None = None
    ended: datetime | None = None
    status: int | None = None
    missed: int = 0
    missed_at: datetime | None = None

    def is_suspended(self, job: Job) -> bool:
        """What was said by hand counts, else app.json."""
        return job.suspended if self.suspended is None else self.suspended


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a look at the clock finds. at: the time whose run is to be made now."""

    at: datetime | None = None
    missed: Missed | None = None


def judge(next_after: NextAfter, since: datetime, now: datetime) -> Verdict:
    """What of a schedule came after since, up to now: one run at most, the rest was missed."""
    latest = next_after(max(since, now - LATE))
    at = latest if latest is not None and latest <= now else None
    first = moment = next_after(since)
    number = 0
    while moment is not None and moment <= now - LATE and number < MISSED_MAX:
        number, last, moment = number + 1, moment, next_after(moment)
    return Verdict(at, Missed(number, first, last) if number and first else None)


def looked_until(seen: datetime | None, now: datetime) -> datetime:
    """Until when all was looked at: where the last look ended, unless the clock was wrong then."""
    return now if seen is None or seen - now > SET_BACK else seen


def is_taken(due: datetime | None, at: datetime) -> bool:
    """Whether a time was dealt with already; due: the latest that was."""
    return due is not None and at <= due <= at + SET_BACK


def jobs_of(declared: Sequence[CronJob], processes: Processes) -> tuple[Job, ...]:
    """The jobs of a release: those of app.json, then those of the Procfile.

    One without a name gets it from its command. Raises PaasError ``cron-schedule`` for a Procfile
    line without a schedule, ``cron-name`` for a name given twice, ``cron-jobs`` for too many.
    """
    found: list[tuple[str | None, Job]] = []
    for item in declared:
        job = Job(
            "", item.command, item.schedule, item.policy, item.maintenance, position=item.position
        )
        found.append((item.name, job))
    for kind, text in processes.items():
        if is_cron(kind):
            schedule, command = cron_line(text)
            given = re.fullmatch(r"cron[-_](.+)", kind)
            found.append((given[1] if given else None, Job("", command, schedule, kind=kind)))
    if len(found) > JOBS_MAX:
        raise PaasError(
            "cron-jobs",
            f"There are {len(found)} cron jobs; an app may have {JOBS_MAX}.",
            "Let one job do the work of several.",
        )
    return _named(found)


def _named(found: Sequence[tuple[str | None, Job]]) -> tuple[Job, ...]:
    taken: set[str] = set()
    for name, _ in found:
        if name in taken:
            raise PaasError(
                "cron-name", f"Two cron jobs have the name {name!r}.", "Give one another name."
            )
        if name is not None:
            taken.add(name)
    jobs = []
    for given, job in found:
        name = given or _free_name(job.command, taken)
        taken.add(name)
        jobs.append(replace(job, name=name))
    return tuple(jobs)


def _free_name(command: str, taken: set[str]) -> str:
    """``python manage.py clearsessions``: python-manage-py-clearsessions."""
    words = re.sub(r"[^A-Za-z0-9]+", "-", command[:500]).strip("-").lower()
    base = words[:_NAME_CHARS].strip("-") or "job"
    return next(name for n in count(1) if (name := base if n == 1 else f"{base}-{n}") not in taken)


def find_job(jobs: Sequence[Job], name: str) -> Job:
    """The job of that name, with or without ``cron.`` before it. Raises PaasError."""
    wanted = name.removeprefix("cron.")
    for job in jobs:
        if job.name == wanted:
            return job
    names = ", ".join(job.name for job in jobs)
    raise PaasError(
        "no-such-job",
        f"The current release has no cron job {printable(wanted)[:60]!r}"
        + (f"; it has: {names}." if jobs else ", nor any other."),
        "See them: paas cron",
    )
