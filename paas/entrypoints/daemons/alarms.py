"""Has the operator told of missing backups and rehearsals: a thread of the monitor process."""

import threading
from collections.abc import Callable

from paas.entrypoints.daemons.turns import Turns
from paas.services.server.alarms import Alarms

TURN_S = 60.0


class AlarmTurns:
    """One look per turn; the first is at once, since a trouble may have come while it was down."""

    def __init__(self, alarms: Alarms, log: Callable[[str], None]) -> None:
        self._alarms = alarms
        self._log = log
        self._turns = Turns("alarms", log)

    def start(self, stop: threading.Event) -> None:
        """Begin, in the background."""
        self._turns.start(self.turn, stop, TURN_S, at_once=True)

    def turn(self) -> None:
        """One look."""
        if count := self._alarms.look():
            self._log(f"alarms: the alarm command was told of {count}.")
