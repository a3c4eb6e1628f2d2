"""Has previews removed whose time is up: a thread of the monitor process.

Once a minute it asks the store, and has the platform's own client remove what is due. What could
not be removed is tried again each hour.
"""

import threading
from collections.abc import Callable

from paas.domain.git.previews import EXPIRE_COMMAND
from paas.entrypoints.daemons.own_commands import run_command
from paas.entrypoints.daemons.turns import Turns
from paas.wiring.monitor import MonitorAdapters

TURN_S = 60.0
# After how many turns the same ones are tried again.
AGAIN = 60
# Of all that are due, each of which may run a command before.
REMOVE_LIMIT_S = 3600.0


class PreviewTurns:
    """due: the ids of the apps that are to be removed. remove: has that done."""

    def __init__(
        self, due: Callable[[], set[int]], remove: Callable[[], None], log: Callable[[str], None]
    ) -> None:
        self._due = due
        self._remove = remove
        self._log = log
        self._tried: set[int] = set()
        self._turns = 0

    def start(self, stop: threading.Event) -> None:
        """Start as a daemon thread: what it has started is finished without it."""
        Turns("previews", self._log).start(self.turn, stop, TURN_S)

    def turn(self) -> None:
        """One look."""
        self._turns += 1
        if self._turns % AGAIN == 0:
            self._tried.clear()
        due = self._due()
        if due - self._tried:
            self._tried = due
            self._remove()


def build(adapters: MonitorAdapters, log: Callable[[str], None]) -> PreviewTurns:
    """What removes the previews of a server; adapters are for its thread alone."""
    settings, store, clock = adapters.settings, adapters.store, adapters.clock

    def remove() -> None:
        run_command(settings, EXPIRE_COMMAND, "Removing previews", timeout_s=REMOVE_LIMIT_S)

    return PreviewTurns(
        lambda: {one.app_id for one in store.previews.due(clock.now())}, remove, log
    )
