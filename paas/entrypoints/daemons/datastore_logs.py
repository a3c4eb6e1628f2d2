"""Keeps the logs of datastores' servers small: a thread of the monitor process."""

import threading
from collections.abc import Callable

from paas.entrypoints.daemons.turns import Turns
from paas.interfaces import LogTrimming
from paas.store import Store

TURN_S = 60.0


class DatastoreLogs:
    """One look per turn at all of them."""

    def __init__(self, store: Store, trimming: LogTrimming, log: Callable[[str], None]) -> None:
        self._store = store
        self._trimming = trimming
        self._log = log
        self._turns = Turns("datastore logs", log)

    def start(self, stop: threading.Event) -> None:
        """Begin, in the background."""
        self._turns.start(self.turn, stop, TURN_S)

    def turn(self) -> None:
        """One look; what cannot be trimmed is tried again at the next."""
        for one in self._store.datastores.all():
            try:
                self._trimming.trim(one)
            except OSError as error:
                self._log(f"datastore logs: {one.name}: {error}")
