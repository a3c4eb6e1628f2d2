"""When cron jobs are due."""

from datetime import datetime
from typing import Protocol

from paas.domain.runs.cron import JobState, Missed


class Schedules(Protocol):
    """What understands ``0 3 * * *``."""

    def next_after(self, schedule: str, moment: datetime) -> datetime | None:
        """The next time after a moment, in UTC; None where there is none in 50 years.

        Raises PaasError ``cron-schedule`` where it is no schedule.
        """


class Bookmark(Protocol):
    """Until when the scheduler has looked at the clock, across its restarts."""

    def read(self) -> datetime | None:
        """None where it never has, or where that is lost."""

    def write(self, moment: datetime) -> None: ...


class CronStates(Protocol):
    """The part of Store that remembers cron jobs."""

    def job_states(self, app_id: int) -> dict[str, JobState]:
        """By the jobs' names; also of jobs that the present release does not have."""

    def suspend_job(self, app_id: int, name: str, suspended: bool) -> None: ...

    def take_job(
        self, app_id: int, name: str, due: datetime | None, started: datetime | None, user: str
    ) -> bool:
        """Record a run before it starts. False, and nothing is recorded: its time was dealt with,
        or the app is gone.

        due: its time by the schedule; None: somebody asked for it. started: None: it is left out.
        """

    def end_job(
        self, app_id: int, name: str, started: datetime, ended: datetime, status: int | None
    ) -> None:
        """Record the end of the run that started then, if none has since. status: None where it
        was interrupted."""

    def add_missed(self, app_id: int, name: str, missed: Missed) -> None: ...
