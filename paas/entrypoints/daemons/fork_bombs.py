"""Ends fork bombs in the monitor process: of instances, one-off processes and builds.

A limit on processes bounds a fork bomb but does not stop it: with 500 processes, a command that
starts a program took minutes, although all of them together had the CPU share of one instance. The
kernel checks pids.max only after it has copied the memory map (copy_process in kernel/fork.c). That
takes locks which are shared with all programs that use the same libraries, and a process that holds
one may be waiting for the CPU: probably this is the reason, which was not traced. So a bomb is
ended within tenths of a second: until then it multiplies the latency of other apps.
"""

import re
import threading
import time
from collections.abc import Callable

from paas.adapters.runtime.native.cgroups import Cgroups
from paas.adapters.runtime.native.refused_forks import RefusedForks
from paas.entrypoints.daemons.turns import Turns
from paas.interfaces import Logs

TURN_S = 0.2
PERIOD_S = 1.0
# A program that is refused gives up, or tries again after a pause; a bomb exceeds this tenfold.
REFUSED_MAX = 100


class ForkBombs:
    """Kills the processes of each cgroup in which too many forks were refused within a period.

    What supervises or waits for them deals with their end as with any other.
    """

    def __init__(
        self,
        cgroups: Cgroups,
        refused: RefusedForks,
        logs: Logs,
        log: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cgroups = cgroups
        self._refused = refused
        self._logs = logs
        self._log = log
        self._clock = clock
        self._begin_period()

    def start(self, stop: threading.Event) -> None:
        """Begin, in the background."""
        Turns("forks", self._log).start(self.turn, stop, TURN_S)

    def turn(self) -> None:
        """One look at all."""
        for name, count in self._refused.counts().items():
            refused = count - self._before.get(name, 0)
            if refused > REFUSED_MAX and name not in self._killed:
                self._killed.add(name)
                self._kill(name, refused)
        if self._clock() - self._began >= PERIOD_S:
            self._begin_period()

    def _begin_period(self) -> None:
        self._refused.find_new()
        self._began, self._before = self._clock(), self._refused.counts()
        # While its processes end, more forks are refused: that is not told again.
        self._killed: set[str] = set()

    def _kill(self, name: str, refused: int) -> None:
        self._cgroups.kill(name)
        words = f"{refused} forks were refused within {PERIOD_S:g} s"
        self._log(f"forks: {name} was killed: {words}.")
        if (app := re.match(r"(?:[a-z-]+-)?([0-9]+)(?:-|$)", name)) is not None:
            self._logs.write(
                int(app[1]),
                "forks",
                f"{name} was killed: it is at its limit of processes, and {words}. "
                "If it needs more: paas resource:limit pids=NUMBER",
            )
