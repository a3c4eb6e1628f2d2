"""The scheduler's bookmark in memory."""

from datetime import datetime


class FakeBookmark:
    """`Bookmark` of paas/interfaces."""

    def __init__(self) -> None:
        self.moment: datetime | None = None

    def read(self) -> datetime | None:
        return self.moment

    def write(self, moment: datetime) -> None:
        self.moment = moment
