"""Looks after the archives of datastores: a thread of the monitor process.

In each turn it writes the time into each datastore that archives, has backups and rehearsals made
that are due, by the platform's own client, and tells the apps' logs what is wrong. The judgment
what is wrong is made here, not by the jobs: a job that does not run reports nothing.
"""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from paas.domain.datastores.archives import DUE_COMMAND
from paas.entrypoints.daemons.own_commands import run_command
from paas.entrypoints.daemons.turns import Turns
from paas.interfaces import Clock, Logs
from paas.services.datastores.archives.schedule import ArchiveSchedule
from paas.services.datastores.archives.watch import ArchiveWatch
from paas.settings import Settings

# A full backup of a large datastore, and those of others before it.
JOBS_LIMIT_S = 24 * 3600.0
# An alarm that continues is repeated.
AGAIN = timedelta(days=1)


class ArchiveKeeping:
    """Each turn writes, looks and tells; what is due is made beside it, so that no turn waits."""

    def __init__(
        self,
        schedule: ArchiveSchedule,
        watch: ArchiveWatch,
        logs: Logs,
        clock: Clock,
        run_due: Callable[[], None],
        log: Callable[[str], None],
        turn_s: float,
    ) -> None:
        self._schedule = schedule
        self._watch = watch
        self._logs = logs
        self._clock = clock
        self._run_due = run_due
        self._turns = Turns("archives", log)
        self._jobs = Turns("archives", log)
        self._turn_s = turn_s
        self._told: dict[tuple[int, str], datetime] = {}
        self._running: threading.Thread | None = None

    def start(self, stop: threading.Event) -> None:
        """Start as a daemon thread: what it has started is finished without it."""
        self._turns.start(self.turn, stop, self._turn_s, at_once=True)

    def turn(self) -> None:
        """One look."""
        self._schedule.beat()
        if (self._running is None or not self._running.is_alive()) and self._schedule.is_due():
            self._running = self._jobs.beside(self._run_due)
        self.tell()

    def tell(self) -> None:
        """Write what is wrong into the log of the app that the datastore belongs to."""
        now, told = self._clock.now(), {}
        for one, words in self._watch.alarms():
            # What it says of times and sizes may differ from turn to turn.
            kind = (one.id, words[:20])
            told[kind] = self._told.get(kind, now)
            if kind not in self._told or now - told[kind] >= AGAIN:
                told[kind] = now
                self._logs.write(one.app_id, "datastore", f"{one.name}: {words}")
        self._told = told


def build(
    settings: Settings,
    schedule: ArchiveSchedule,
    watch: ArchiveWatch,
    logs: Logs,
    clock: Clock,
    log: Callable[[str], None],
) -> ArchiveKeeping:
    """What looks after the archives of a server; schedule and watch are for its thread alone."""

    def run_due() -> None:
        run_command(settings, DUE_COMMAND, "Looking after backups", timeout_s=JOBS_LIMIT_S)

    return ArchiveKeeping(schedule, watch, logs, clock, run_due, log, settings.datastores_turn_s)
