"""Copies the database: a thread of the monitor process.

The latest copy is updated some seconds after a change; the server starts from it if the database is
lost. One copy is kept of each hour in which there was a change. Each hour, and if a copy turns out
damaged, the database itself is checked, and the result is stored next to it.
"""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from paas.domain.values.errors import PaasError
from paas.entrypoints.daemons.turns import Turns
from paas.interfaces import Clock
from paas.wiring.monitor import MonitorAdapters

TICK_S = 1.0
# This long after the last change; at the latest this long after the first.
SETTLE_S = 2.0
LONGEST_S = 20.0
# Copying takes at most this share of the time, however large the database is.
SHARE = 1 / 50
# After one that failed.
AGAIN_S = 60.0
HOUR = timedelta(hours=1)


class Changes(Protocol):
    """Of the store."""

    def any(self) -> bool:
        """Whether there were any since the last call."""


class StoreCopies(Protocol):
    """What makes the copies."""

    def latest(self) -> None: ...
    def hourly(self, now: datetime) -> None: ...
    def newest_hourly(self) -> datetime | None: ...


class StoreCopying:
    """Makes copies after changes.

    settle: opens the store, raising PaasError if it is not the right one, and writes its mark.
    check: checks all of it. seal: seals what a command of a former version left in the clear.
    """

    def __init__(
        self,
        copies: StoreCopies,
        changes: Changes,
        clock: Clock,
        settle: Callable[[], None],
        check: Callable[[], PaasError | None],
        seal: Callable[[], None],
        log: Callable[[str], None],
    ) -> None:
        self._copies = copies
        self._changes = changes
        self._clock = clock
        self._settle = settle
        self._check = check
        self._seal = seal
        self._turns = Turns("copies", log)
        self._first: float | None = None
        self._last = 0.0
        self._not_before = 0.0
        self._is_new = True
        self._checked = float("-inf")

    def start(self, stop: threading.Event) -> None:
        """Start as a daemon thread: a copy appears whole or not at all."""
        self._turns.start(self.look, stop, TICK_S)

    def look(self) -> None:
        """Do what is due."""
        now = self._clock.monotonic()
        if now - self._checked >= HOUR.total_seconds():
            self._checked = now
            self._refuse(self._check())
            self._seal()
        if self._changes.any():
            self._first = now if self._first is None else self._first
            self._last = now
        if self._first is not None and self._is_settled(now):
            # The next try is not immediate.
            self._not_before = now + AGAIN_S
            self._copy(now)
            self._first = None
        newest = self._copies.newest_hourly()
        wall = self._clock.now()
        if self._is_new and self._first is None and (newest is None or wall - newest >= HOUR):
            self._is_new = False
            self._copies.hourly(wall)

    def _is_settled(self, now: float) -> bool:
        settled = now - self._last >= SETTLE_S or (
            self._first is not None and now - self._first >= LONGEST_S
        )
        return settled and now >= self._not_before

    def _copy(self, now: float) -> None:
        self._settle()
        try:
            self._copies.latest()
        except PaasError as error:
            self._refuse(self._check())
            raise error
        self._is_new = True
        took = self._clock.monotonic() - now
        self._not_before = now + took / SHARE

    def _refuse(self, fault: PaasError | None) -> None:
        if fault is not None:
            raise fault


def build(adapters: MonitorAdapters, changes: Changes, log: Callable[[str], None]) -> StoreCopying:
    """What copies the store of a server; adapters are for its thread alone."""
    return StoreCopying(
        adapters.copies,
        changes,
        adapters.clock,
        adapters.store.database.settle_mark,
        adapters.store_recovery.fault,
        adapters.store.sealing.settle,
        log,
    )
