"""Looks after followers of datastores: a thread of the monitor process.

Once a minute it looks whether one has lost its place or was left half changed, and has that mended
by the platform's own client. What cannot be mended is tried again less often.
"""

import threading
from collections.abc import Callable

from paas.domain.datastores.following import MEND_COMMAND
from paas.entrypoints.daemons.own_commands import run_command
from paas.entrypoints.daemons.turns import Turns
from paas.services.datastores.following.watch import FollowerWatch
from paas.settings import Settings

TURN_S = 60.0
# After how many turns the same ones are tried again.
AGAIN = 10
# Copies of large datastores.
MEND_LIMIT_S = 24 * 3600.0


class FollowerKeeping:
    """One look per turn; a copy may take hours, for which this thread waits."""

    def __init__(
        self, watch: FollowerWatch, mend: Callable[[], None], log: Callable[[str], None]
    ) -> None:
        self._watch = watch
        self._mend = mend
        self._log = log
        self._tried: set[int] = set()
        self._turns = 0

    def start(self, stop: threading.Event) -> None:
        """Start as a daemon thread: what it has started is finished without it."""
        Turns("followers", self._log).start(self.turn, stop, TURN_S)

    def turn(self) -> None:
        """One look."""
        self._turns += 1
        if self._turns % AGAIN == 0:
            self._tried.clear()
        unsettled = {one.id for one in self._watch.unsettled()}
        if unsettled - self._tried:
            self._tried = unsettled
            self._mend()


def build(settings: Settings, watch: FollowerWatch, log: Callable[[str], None]) -> FollowerKeeping:
    """What looks after the followers of a server; watch is for its thread alone."""

    def mend() -> None:
        run_command(settings, MEND_COMMAND, "Looking after followers", timeout_s=MEND_LIMIT_S)

    return FollowerKeeping(watch, mend, log)
