"""When cron jobs are due."""

from datetime import datetime
from typing import Protocol


class Schedules(Protocol):
    """What understands ``0 3 * * *``."""

    def next_after(self, schedule: str, moment: datetime) -> datetime | None:
        """The next time after a moment, in UTC; None if there is none in 50 years.

        Raises PaasError ``cron-schedule`` where it is no schedule.
        """


class Bookmark(Protocol):
    """Until when the scheduler has looked at the clock, across its restarts."""

    def read(self) -> datetime | None:
        """None if it never has, or where that is lost."""

    def write(self, moment: datetime) -> None: ...
