"""Has people told of troubles: a thread of the monitor process."""

import threading
from collections.abc import Callable

from paas.entrypoints.daemons.turns import Turns
from paas.services.notifications.watch import Watch

TURN_S = 60.0


class NotificationTurns:
    """One look per turn."""

    def __init__(self, watch: Watch, log: Callable[[str], None]) -> None:
        self._watch = watch
        self._log = log
        self._turns = Turns("notifications", log)

    def start(self, stop: threading.Event) -> None:
        """Begin, in the background."""
        self._turns.start(self.turn, stop, TURN_S)

    def turn(self) -> None:
        """One look."""
        if count := self._watch.look():
            self._log(f"notifications: {count} places were told.")
