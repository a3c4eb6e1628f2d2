"""Has datastores dumped when it is time, and reports where that has not happened: a thread.

It asks the store in each turn, and runs the platform's own client for what is due, which uses the
gate or, if that is down, works without it. What is missing is judged here, not by what makes the
dumps.
"""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from paas.domain.datastores.dumps import DUE_COMMAND
from paas.entrypoints.daemons.own_commands import run_command
from paas.entrypoints.daemons.turns import Turns
from paas.interfaces import Clock, Logs
from paas.services.datastores.dumps.schedules import DumpSchedules
from paas.wiring.monitor import MonitorAdapters, dump_schedules

_LIMIT_S = 24 * 3600.0
# How often the log repeats a missing backup.
_TELL_EVERY = timedelta(days=1)


class DumpWatch:
    """One look per turn."""

    def __init__(
        self,
        schedules: DumpSchedules,
        clock: Clock,
        logs: Logs,
        make_due: Callable[[], None],
        log: Callable[[str], None],
        turn_s: float,
    ) -> None:
        self._schedules = schedules
        self._clock = clock
        self._logs = logs
        self._make_due = make_due
        self._turn_s = turn_s
        self._turns = Turns("dumps", log)
        self._jobs = Turns("dumps", log)
        self._making: threading.Thread | None = None
        self._told: dict[str, datetime] = {}

    def start(self, stop: threading.Event) -> None:
        """Begin, in the background."""
        self._turns.start(self.look, stop, self._turn_s)

    def look(self) -> None:
        """Report what is missing, and have made what is due, unless that is being done."""
        self._report()
        if self._making is not None and self._making.is_alive():
            return
        if self._schedules.due():
            self._making = self._jobs.beside(self._make_due)

    def _report(self) -> None:
        now = self._clock.now()
        overdue = self._schedules.overdue()
        for one, since in overdue:
            told = self._told.get(one.name)
            if told is None or now - told >= _TELL_EVERY:
                self._told[one.name] = now
                self._logs.write(
                    one.app_id,
                    "backups",
                    f"{one.name} has had no good backup since {since:%Y-%m-%d %H:%M} UTC. "
                    f"See: paas {one.kind.traits.prefix}:backups",
                )
        for name in self._told.keys() - {one.name for one, _ in overdue}:
            del self._told[name]


def build(adapters: MonitorAdapters, log: Callable[[str], None]) -> DumpWatch:
    """What watches the dumps of a server; adapters are for its thread alone."""
    settings = adapters.settings

    def make_due() -> None:
        run_command(settings, DUE_COMMAND, "Making the backups that are due", timeout_s=_LIMIT_S)

    return DumpWatch(
        dump_schedules(adapters),
        adapters.clock,
        adapters.logs,
        make_due,
        log,
        settings.datastores_turn_s,
    )
