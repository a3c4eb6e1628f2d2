"""Keeps the logs of datastores' servers small: a thread of the monitor process."""

import threading
import traceback
from collections.abc import Callable

from paas.entrypoints.daemons.supervised import Failures
from paas.interfaces import LogTrimming
from paas.store import Store

TURN_S = 60.0


class DatastoreLogs:
    """One look per turn at all of them."""

    def __init__(self, store: Store, trimming: LogTrimming, log: Callable[[str], None]) -> None:
        self._store = store
        self._trimming = trimming
        self._log = log
        self._failures = Failures(lambda text: log(f"datastore logs: {text}"))

    def start(self, stop: threading.Event) -> None:
        """Begin, in the background."""
        threading.Thread(target=self._run, args=(stop,), name="logs", daemon=True).start()

    def turn(self) -> None:
        """One look; what cannot be trimmed is tried again at the next."""
        for one in self._store.datastores.all():
            try:
                self._trimming.trim(one)
            except OSError as error:
                self._log(f"datastore logs: {one.name}: {error}")

    def _run(self, stop: threading.Event) -> None:
        while not stop.wait(TURN_S):
            try:
                with self._failures.logged():
                    self.turn()
            except Exception:  # our own faults must not end a thread of this process
                self._log(f"datastore logs: {traceback.format_exc()}")
