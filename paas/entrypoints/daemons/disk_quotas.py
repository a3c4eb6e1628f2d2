"""Finds, each hour in the monitor process, the apps that exceed their disk quotas.

The owner finds a line in the app's log; commands that would add more measure for themselves.
"""

import threading
from collections.abc import Callable

from paas.entrypoints.daemons.turns import Turns
from paas.interfaces import Logs
from paas.services.server.quotas import Quotas

TURN_S = 3600.0


class DiskQuotas:
    """Writes a line once an app is over its quota, and another if it was below it meanwhile."""

    def __init__(self, quotas: Quotas, logs: Logs, log: Callable[[str], None]) -> None:
        self._quotas = quotas
        self._logs = logs
        self._turns = Turns("disk", log)
        self._told: set[int] = set()

    def start(self, stop: threading.Event) -> None:
        """Begin, in the background; the first count is after an hour."""
        self._turns.start(self.turn, stop, TURN_S)

    def turn(self) -> None:
        """One count."""
        found = self._quotas.full()
        for app, words in found:
            if app.id not in self._told:
                self._logs.write(
                    app.id,
                    "disk",
                    f"The app is over its disk quota ({words}): pushes, storage:add and "
                    f"addons:create are refused until it uses less. See: paas disk -a {app.name}",
                )
        self._told = {app.id for app, _ in found}
