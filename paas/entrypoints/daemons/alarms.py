"""Has the operator told of missing backups and rehearsals: a thread of the monitor process."""

import threading
import traceback
from collections.abc import Callable

from paas.entrypoints.daemons.supervised import Failures
from paas.services.server.alarms import Alarms

TURN_S = 60.0


class AlarmTurns:
    """One look per turn; the first is at once, since a trouble may have come while it was down."""

    def __init__(self, alarms: Alarms, log: Callable[[str], None]) -> None:
        self._alarms = alarms
        self._log = log
        self._failures = Failures(lambda text: log(f"alarms: {text}"))

    def start(self, stop: threading.Event) -> None:
        """Begin, in the background."""
        threading.Thread(target=self._run, args=(stop,), name="alarms", daemon=True).start()

    def turn(self) -> None:
        """One look."""
        if count := self._alarms.look():
            self._log(f"alarms: the alarm command was told of {count}.")

    def _run(self, stop: threading.Event) -> None:
        while True:
            try:
                with self._failures.logged():
                    self.turn()
            except Exception:  # our own faults must not end a thread of this process
                self._log(f"alarms: {traceback.format_exc()}")
            if stop.wait(TURN_S):
                return
