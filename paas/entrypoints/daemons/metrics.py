"""Collects the metrics of the apps: a thread of the monitor process."""

import threading
from collections.abc import Callable

from paas.domain.metrics.resolutions import FINEST
from paas.entrypoints.daemons.supervised import Changes
from paas.entrypoints.daemons.turns import Turns
from paas.interfaces import Clock
from paas.services.metrics.collector import Collector

# After a failure to write, as on a full disk.
PAUSE_S = 60.0


class MetricsTurns:
    """One turn whenever a slot of the finest resolution is over.

    While the files cannot be written it pauses and says so in the monitor's log, once.
    """

    def __init__(
        self, collector: Collector, changes: Changes, clock: Clock, log: Callable[[str], None]
    ) -> None:
        self._collector = collector
        self._changes = changes
        self._clock = clock
        self._log = log
        self._turns = Turns("metrics", log)
        self._failed = ""

    def start(self, stop: threading.Event) -> None:
        """Begin, in the background."""

        def run() -> None:
            while not stop.wait(self.pause_s()):
                with self._turns.logged():
                    self.turn()

        threading.Thread(target=run, name="metrics", daemon=True).start()

    def pause_s(self) -> float:
        """How long to wait for the next turn."""
        if self._failed:
            return PAUSE_S
        return FINEST.step_s - self._clock.now().timestamp() % FINEST.step_s

    def turn(self) -> None:
        """One turn."""
        try:
            if self._changes.any():
                self._refresh()
            self._collector.turn()
        except OSError as error:
            why = error.strerror or str(error)
            if why != self._failed:
                self._log(f"metrics: paused, tried again each minute: {why}")
            self._failed = why
            return
        if self._failed:
            self._log("metrics: collected again.")
        self._failed = ""

    def _refresh(self) -> None:
        try:
            self._collector.refresh()
        except BaseException:
            self._changes.forget()
            raise
