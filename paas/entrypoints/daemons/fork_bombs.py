"""Ends fork bombs, each second in the monitor process: of instances, one-off processes and builds.

A limit on processes bounds a fork bomb but does not stop it: with 500 processes, a command that
starts a program took minutes, although all of them together had the CPU share of one instance. The
kernel checks pids.max only after it has copied the memory map (copy_process in kernel/fork.c). That
takes locks which are shared with all programs that use the same libraries, and a process that holds
one may be waiting for the CPU: probably this is the reason, which was not traced.
"""

import re
import threading
from collections.abc import Callable

from paas.adapters.runtime.native.cgroups import Cgroups
from paas.entrypoints.daemons.turns import Turns
from paas.interfaces import Logs

TURN_S = 1.0
# A program that is refused gives up, or tries again after a pause; a bomb exceeds this tenfold.
REFUSED_MAX = 100


class ForkBombs:
    """Kills the processes of each cgroup in which too many forks were refused since the last turn.

    What supervises or waits for them deals with their end as with any other.
    """

    def __init__(self, cgroups: Cgroups, logs: Logs, log: Callable[[str], None]) -> None:
        self._cgroups = cgroups
        self._logs = logs
        self._log = log
        self._seen = cgroups.refused_forks()

    def start(self, stop: threading.Event) -> None:
        """Begin, in the background."""
        Turns("forks", self._log).start(self.turn, stop, TURN_S)

    def turn(self) -> None:
        """One look at all."""
        seen, self._seen = self._seen, self._cgroups.refused_forks()
        for name, count in self._seen.items():
            refused = count - seen.get(name, 0)
            if refused <= REFUSED_MAX:
                continue
            self._cgroups.kill(name)
            words = f"{refused} forks were refused within {TURN_S:g} s"
            self._log(f"forks: {name} was killed: {words}.")
            if (app := re.match(r"(?:[a-z-]+-)?([0-9]+)(?:-|$)", name)) is not None:
                self._logs.write(
                    int(app[1]),
                    "forks",
                    f"{name} was killed: it is at its limit of processes, and {words}. "
                    "If it needs more: paas resource:limit pids=NUMBER",
                )
