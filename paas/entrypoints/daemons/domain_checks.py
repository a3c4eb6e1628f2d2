"""Has pending domains checked: a thread of the monitor process.

It asks the store whether one is due, and runs the platform's own client for it, which asks DNS. So
this process imports nothing that could, and waits for no DNS server.
"""

import threading
import traceback
from collections.abc import Callable

from paas.domain.routing.proofs import CHECK_COMMAND
from paas.domain.values.errors import PaasError
from paas.entrypoints.daemons.own_commands import run_command
from paas.interfaces import Clock
from paas.settings import Settings
from paas.store import Store

TICK_S = 5.0
# After an error of the platform itself.
FAULT_PAUSE_S = 60.0
CHECK_LIMIT_S = 600.0


class DomainChecking:
    """Looks every few seconds, so that DNS gets so many questions at most."""

    def __init__(
        self, store: Store, clock: Clock, check: Callable[[], None], log: Callable[[str], None]
    ) -> None:
        self._store = store
        self._clock = clock
        self._check = check
        self._log = log

    def start(self, stop: threading.Event) -> None:
        """Start as a daemon thread: what it has started is finished without it."""
        threading.Thread(target=self.run, args=(stop,), name="domains", daemon=True).start()

    def run(self, stop: threading.Event) -> None:
        """Run until stop is set."""
        while not stop.wait(TICK_S):
            try:
                self.check_due()
                continue
            except PaasError as error:
                self._log(f"domains: {error.report}")
            except Exception:  # an error of ours must not end this thread
                self._log(f"domains: {traceback.format_exc()}")
            if stop.wait(FAULT_PAUSE_S):
                return

    def check_due(self) -> None:
        """Have done what is due."""
        if self._store.domain_proofs.due(self._clock.now(), 1):
            self._check()


def build(
    settings: Settings, store: Store, clock: Clock, log: Callable[[str], None]
) -> DomainChecking:
    """What looks at the pending domains of a server; the store is for its thread alone."""

    def check() -> None:
        run_command(settings, CHECK_COMMAND, "Checking pending domains", timeout_s=CHECK_LIMIT_S)

    return DomainChecking(store, clock, check, log)
