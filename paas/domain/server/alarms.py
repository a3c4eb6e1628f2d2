"""Alarms: which troubles are reported to the operator's command, and when."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

# However many troubles come, the command is run at most so often.
EVERY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that should have succeeded and did not.

    key: the same as long as it lasts. words: a sentence; its times and sizes may change. event: its
    kind, for notifications. app_id: of which app; None: of the server. next: what to do. mark:
    another one if it happened again.
    """

    key: str
    words: str
    event: str = "backup"
    app_id: int | None = None
    next: str = ""
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """What was told. keys: of troubles that last. at: when the command last ran; None: never."""

    keys: frozenset[str] = field(default_factory=frozenset)
    at: datetime | None = None

    def untold(self, troubles: Iterable[Trouble], now: datetime) -> list[Trouble]:
        """Those to tell now; none within an hour of the last time."""
        if self.at is not None and self.at <= now < self.at + EVERY:
            return []
        return [one for one in troubles if one.key not in self.keys]

    def lasting(self, troubles: Iterable[Trouble]) -> "Told":
        """Without those that are over, so that they are reported if they come back."""
        return Told(self.keys & {one.key for one in troubles}, self.at)

    def after(self, told: Iterable[Trouble], now: datetime) -> "Told":
        """The same once the command was told of these."""
        return Told(self.keys | {one.key for one in told}, now)
