"""The scheduler of cron jobs: a thread of the monitor process.

It looks at the clock once a minute, and starts each job that is due through the platform's own
client, which uses the gate or, if that is down, works without it: this process has threads, so it
must not fork without exec. A run is recorded before it starts (`Store.cron.take`), so asking twice
is safe.
"""

import os
import sys
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from paas.adapters.system import subprocesses
from paas.domain.runs.cron import DUE_COMMAND, looked_until
from paas.domain.values.errors import PaasError
from paas.services.runs.scheduler import Due, Scheduler, Watched
from paas.wiring.monitor import MonitorAdapters, scheduler

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

STARTS_AT_ONCE = 8
START_LIMIT_S = 120.0
_TRIES = 2  # the gate may be restarting
# How soon a change of the clock is noticed.
LOOK_S = 10.0
_WAIT_S = 30.0
_SETTLE_S = 0.05

# Starts a run; returns why it could not, or None.
Start = Callable[[Due], str | None]


class Changes(Protocol):
    """Of the store."""

    def any(self) -> bool:
        """Whether there were any since the last call."""

    def forget(self) -> None:
        """They were not read: report them again."""


class CronScheduling:
    """Looks at each new minute."""

    def __init__(
        self,
        scheduler: Scheduler,
        changes: Changes,
        start: Start,
        log: Callable[[str], None],
    ) -> None:
        self._scheduler = scheduler
        self._changes = changes
        self._start = start
        self._log = log
        self._watched: Sequence[Watched] = ()
        self._since: datetime | None = None
        self._starting: dict[Future[str | None], Due] = {}

    def run(self, stop: threading.Event) -> None:
        """Run until stop is set."""
        while True:
            now = self._scheduler.clock.now()
            if self._since is None or _minute(now) != _minute(self._since):
                try:
                    self.look(now)
                except PaasError as error:
                    self._log(f"cron: {error.report}")
            left = 60 - now.second - now.microsecond / 1e6
            if stop.wait(min(LOOK_S, left + _SETTLE_S)):
                return

    def look(self, now: datetime) -> None:
        """One look at the clock; returns when the runs have begun, or after a while."""
        if self._since is None:
            self._since = self._scheduler.since(now)
        if self._changes.any():
            try:
                self._watched = self._scheduler.watched()
            except BaseException:
                self._changes.forget()
                raise
        since = looked_until(self._since, now)
        for due in self._scheduler.look(self._watched, since, now):
            self._starting[self._pool.submit(self._start, due)] = due
        self._since = max(since, now)
        if self._starting:
            self._await_starts()
        if self._watched and not self._starting:
            # Not earlier: what this process leaves undone is checked again by its successor.
            self._scheduler.bookmark.write(self._since)

    @cached_property
    def _pool(self) -> "ThreadPoolExecutor":
        """Imported where it is used: most servers have no job."""
        from concurrent.futures import ThreadPoolExecutor

        return ThreadPoolExecutor(STARTS_AT_ONCE, thread_name_prefix="cron")

    def _await_starts(self) -> None:
        """Until the runs have begun, or for a while."""
        from concurrent.futures import wait

        for done in wait(self._starting, _WAIT_S).done:
            due, why = self._starting.pop(done), done.result()
            if why is not None:
                self._log(f"cron: {due.app.name}: {due.job.name}: {why}")
                self._scheduler.not_started(due, why)


def build(
    adapters: MonitorAdapters, changes: Changes, log: Callable[[str], None]
) -> CronScheduling:
    """The scheduler of a server; adapters are for its thread alone."""
    settings = adapters.settings
    client = settings.paths.current / "paas/entrypoints/client.py"
    asking = (sys.executable, "-I", "-S", client, "--paas-etc", settings.etc, DUE_COMMAND)

    def start(due: Due) -> str | None:
        words = (str(due.app.id), due.job.name, due.at.isoformat())
        why = None
        for _ in range(_TRIES):
            try:
                subprocesses.run(
                    [*asking, *words],
                    description="Starting the job",
                    timeout_s=START_LIMIT_S,
                    env={"PATH": os.defpath},
                )
                return None
            except PaasError as error:
                why = error.report
        return why

    return CronScheduling(scheduler(adapters), changes, start, log)


def _minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)
