"""Looks, in the monitor process, whether datastores have to be read-only: each second at the disk.

A disk fills within seconds; the servers are asked each minute, and when something has to change.
"""

import threading
from collections.abc import Callable

from paas.entrypoints.daemons.turns import Turns
from paas.services.datastores.read_only_turn import ReadOnlyTurn

TURN_S = 1.0
# After how many turns all servers are asked again.
_ASK_AGAIN = 60


class ReadOnlyTurns:
    """One look per turn."""

    def __init__(self, turn: ReadOnlyTurn, log: Callable[[str], None]) -> None:
        self._turn = turn
        self._log = log
        self._thread = Turns("datastores", log)
        self._failed: list[str] = []
        self._turns = 0

    def start(self, stop: threading.Event) -> None:
        """Begin, in the background."""
        self._thread.start(self.turn, stop, TURN_S)

    def turn(self) -> None:
        """One look; what fails is logged once, and tried again."""
        self._turns += 1
        if self._turns % _ASK_AGAIN == 0:
            self._turn.forget()
        failed = self._turn.look()
        for text in failed:
            if text not in self._failed:
                self._log(f"datastores: {text}")
        self._failed = failed
