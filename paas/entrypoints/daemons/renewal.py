"""Renews certificates: a thread of the monitor process.

It asks the store whether anything is due, when the store has changed and once a minute, and runs
the platform's own client, which uses the gate or, if that is down, works without it. While more is
due and the issuer may be asked for more names at once, it runs another one beside it. Everything
that is done is recorded in the store, so asking twice, or dying in between, is safe.
"""

import threading
import traceback
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Protocol

from paas.domain.certificates.acme import ORDERS_AT_ONCE, RENEW_COMMAND
from paas.domain.values.errors import PaasError
from paas.entrypoints.daemons.own_commands import run_command
from paas.interfaces import Clock, OrderTurns
from paas.services.certificates.renewals import Renewals
from paas.services.certificates.web_due import WebCertificateDue
from paas.services.certificates.wildcard_due import WildcardDue
from paas.settings import load
from paas.wiring.common import common_adapters
from paas.wiring.monitor import order_turns, renewals, web_certificate_due, wildcard_due

TICK_S = 2.0
LOOK_EVERY_S = 60.0
# After all that was begun has ended; the store knows when what failed is retried.
PAUSE_S = 3.0
# Until the next is started beside one: the former may only just be there.
BESIDE_S = 4.0
# Some of those that run ask the issuer, and some wait until they may change an app.
RUNNING_MAX = 2 * ORDERS_AT_ONCE
# After an error of the platform itself, which must not flood the issuer.
FAULT_PAUSE_S = 60.0
RENEW_LIMIT_S = 6 * 3600.0


class Changes(Protocol):
    """Of the store."""

    def any(self) -> bool:
        """Whether there were any since the last call."""


class CertificateRenewal:
    """Checks whether anything is due, and has it done."""

    def __init__(
        self,
        is_due: Callable[[datetime], bool],
        clock: Clock,
        changes: Changes,
        renew_due: Callable[[], None],
        log: Callable[[str], None],
    ) -> None:
        self._is_due = is_due
        self._clock = clock
        self._changes = changes
        self._renew_due = renew_due
        self._log = log
        self._looked = float("-inf")
        self._running: list[threading.Thread] = []
        self._not_before = float("-inf")

    def start(self, stop: threading.Event) -> None:
        """Start as a daemon thread: what it has started is finished without it."""
        threading.Thread(target=self.run, args=(stop,), name="certificates", daemon=True).start()

    def run(self, stop: threading.Event) -> None:
        """Run until stop is set."""
        while not stop.wait(TICK_S):
            self._guarded(self.look)

    def look(self) -> None:
        """Have what is due done, beside what is being done already."""
        now = self._clock.monotonic()
        had, self._running = self._running, [one for one in self._running if one.is_alive()]
        if had and not self._running:
            self._pause(PAUSE_S)
        if now < self._not_before or len(self._running) >= RUNNING_MAX:
            return
        if not self._changes.any() and not had and now - self._looked < LOOK_EVERY_S:
            return
        self._looked = now
        if self._is_due(self._clock.now()):
            one = threading.Thread(
                target=self._guarded, args=(self._renew_due,), name="certificate", daemon=True
            )
            one.start()
            self._running.append(one)
            self._pause(BESIDE_S)

    def _guarded(self, work: Callable[[], None]) -> None:
        """An error must not end a thread, nor come again at once."""
        try:
            work()
        except PaasError as error:
            self._log(f"certificates: {error.report}")
            self._pause(FAULT_PAUSE_S)
        except Exception:
            self._log(f"certificates: {traceback.format_exc()}")
            self._pause(FAULT_PAUSE_S)

    def _pause(self, seconds: float) -> None:
        self._not_before = max(self._not_before, self._clock.monotonic() + seconds)


class AlsoSettings:
    """`Changes` of the store, and of the settings: certificates may be switched on for all apps."""

    def __init__(self, store: Changes, path: Path) -> None:
        self._store = store
        self._path = path
        self._changed_ns = path.stat().st_mtime_ns

    def any(self) -> bool:
        """Whether there were any since the last call."""
        former_ns, self._changed_ns = self._changed_ns, self._path.stat().st_mtime_ns
        return self._store.any() or self._changed_ns != former_ns


class Present:
    """The current settings: the domain and the issuer may change while this runs."""

    def __init__(self, etc: Path) -> None:
        self._path = etc / "server.yml"
        self._changed_ns = 0
        self._wishes: tuple[Renewals, WebCertificateDue, WildcardDue] | None = None
        self._turns: OrderTurns | None = None

    def is_due(self, now: datetime) -> bool:
        """Whether anything is, and may be done now.

        What looks is built again if server.yml has changed.
        """
        changed_ns = self._path.stat().st_mtime_ns
        if self._wishes is None or changed_ns != self._changed_ns:
            settings = load(self._path)
            adapters = common_adapters(settings)
            self._turns = order_turns(settings)
            self._wishes = (
                renewals(adapters),
                web_certificate_due(adapters),
                wildcard_due(adapters),
            )
            self._changed_ns = changed_ns
        assert self._turns is not None
        return self._turns.has_place() and any(wishes.any(now) for wishes in self._wishes)


def build(
    etc: Path, clock: Clock, changes: Changes, log: Callable[[str], None]
) -> CertificateRenewal:
    """What looks after the certificates of a server."""

    def renew_due() -> None:
        settings = load(etc / "server.yml")
        run_command(
            settings, RENEW_COMMAND, "Looking after the certificates", timeout_s=RENEW_LIMIT_S
        )

    return CertificateRenewal(
        Present(etc).is_due, clock, AlsoSettings(changes, etc / "server.yml"), renew_due, log
    )
