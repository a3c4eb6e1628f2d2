"""When cron jobs are due."""

from datetime import datetime
from typing import Protocol


class Schedules(Protocol):
    """Parses schedules such as ``0 3 * * *``."""

    def next_after(self, schedule: str, moment: datetime) -> datetime | None:
        """The next time after a moment, in UTC; None if there is none in 50 years.

        Raises PaasError ``cron-schedule`` if it is not a schedule.
        """


class Bookmark(Protocol):
    """The time up to which the scheduler has checked schedules, across its restarts."""

    def read(self) -> datetime | None:
        """None if it never has, or if that is lost."""

    def write(self, moment: datetime) -> None: ...
