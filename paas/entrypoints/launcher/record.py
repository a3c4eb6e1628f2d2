"""When an instance may start again: Heroku's backoff as pure decisions, kept in the crash file.

The crash file is one JSON object that the launcher replaces at each start and that the runtime
reads to find an instance's state; the runtime removes it when it starts the instance again::

    {"exits": 3, "streak": 2, "started": 1700000000.0, "state": "waiting",
     "until": 1700000001.0, "parent": 4711}

exits: how often the process has ended since it was created. streak: how many times in a row it
ended within STEADY_S. started: when it was last started (Unix time). state: ``running`` from just
before the program is executed, ``waiting`` while a restart is delayed; until: when that wait is
over, else null. parent: the supervisor's pid; with a new supervisor the count starts again.
Standard library only, and little of it: the launcher must start fast.
"""

STEADY_S = 60.0
LONGEST_WAIT_S = 300.0

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Record:
    """The content of a crash file."""

    __slots__ = ("exits", "parent", "started", "state", "streak", "until")

    def __init__(
        self,
        *,
        exits: int = 0,
        streak: int = 0,
        started: float = 0.0,
        state: str = "running",
        until: float | None = None,
        parent: int = 0,
    ) -> None:
        self.exits = exits
        self.streak = streak
        self.started = started
        self.state = state
        self.until = until
        self.parent = parent

    def to_json(self) -> str:
        """The file's text, formatted by hand because importing json costs 5 ms."""
        until = "null" if self.until is None else f"{self.until:.6f}"
        return (
            f'{{"exits": {self.exits}, "streak": {self.streak}, "started": {self.started:.6f}, '
            f'"state": "{self.state}", "until": {until}, "parent": {self.parent}}}\n'
        )


def record_from(value: "Any") -> Record | None:
    """A record from parsed JSON; None if it is not a valid one."""
    try:
        return Record(
            exits=int(value["exits"]),
            streak=int(value["streak"]),
            started=float(value["started"]),
            state=str(value["state"]),
            until=None if value["until"] is None else float(value["until"]),
            parent=int(value["parent"]),
        )
    except (KeyError, TypeError, ValueError):
        return None


def delay_after(streak: int) -> float:
    """Seconds to wait after that many early ends in a row: 0, 1, 2, 4, ... up to 300."""
    if streak <= 1:
        return 0.0
    return min(LONGEST_WAIT_S, 2.0 ** min(streak - 2, 20))


def plan_start(past: Record | None, now: float, parent: int) -> tuple[Record, float]:
    """The record to write at a start, and how many seconds to wait before it.

    past: what the former start left. A wait that was cut short is resumed, not counted.
    """
    if past is None or past.parent != parent:
        return Record(started=now, parent=parent), 0.0
    if past.state == "waiting":
        exits, streak = past.exits, past.streak
        delay = min(max((past.until or now) - now, 0.0), delay_after(streak))
    else:
        exits = past.exits + 1
        streak = past.streak + 1 if now - past.started <= STEADY_S else 1
        delay = delay_after(streak)
    if delay <= 0.0:
        return Record(exits=exits, streak=streak, started=now, parent=parent), 0.0
    waiting = Record(
        exits=exits,
        streak=streak,
        started=past.started,
        state="waiting",
        until=now + delay,
        parent=parent,
    )
    return waiting, delay


def started_after_wait(waiting: Record, now: float) -> Record:
    """The record once the wait is over."""
    return Record(exits=waiting.exits, streak=waiting.streak, started=now, parent=waiting.parent)
