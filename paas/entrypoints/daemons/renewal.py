"""Renews certificates: a thread of the monitor process.

It asks the store whether anything is due, when the store has changed and once a minute, and runs
the platform's own client, which uses the gate or, if that is down, works without it. Everything
that is done is recorded in the store, so asking twice, or dying in between, is safe.
"""

import threading
import traceback
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Protocol

from paas.domain.certificates.acme import RENEW_COMMAND
from paas.domain.values.errors import PaasError
from paas.entrypoints.daemons.own_commands import run_command
from paas.interfaces import Clock
from paas.services.certificates.renewals import Renewals
from paas.services.certificates.web_due import WebCertificateDue
from paas.services.certificates.wildcard_due import WildcardDue
from paas.settings import load
from paas.wiring.common import common_adapters
from paas.wiring.monitor import renewals, web_certificate_due, wildcard_due

TICK_S = 2.0
LOOK_EVERY_S = 60.0
# After something was done; the store knows when what failed is retried.
PAUSE_S = 3.0
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

    def start(self, stop: threading.Event) -> None:
        """Start as a daemon thread: what it has started is finished without it."""
        threading.Thread(target=self.run, args=(stop,), name="certificates", daemon=True).start()

    def run(self, stop: threading.Event) -> None:
        """Run until stop is set."""
        while not stop.wait(TICK_S):
            try:
                pause_s = PAUSE_S if self.look() else 0.0
            except PaasError as error:
                self._log(f"certificates: {error.report}")
                pause_s = FAULT_PAUSE_S
            except Exception:  # an error of ours must not end this thread
                self._log(f"certificates: {traceback.format_exc()}")
                pause_s = FAULT_PAUSE_S
            if stop.wait(pause_s):
                return

    def look(self) -> bool:
        """Do what is due; returns whether anything was."""
        now = self._clock.monotonic()
        if not self._changes.any() and now - self._looked < LOOK_EVERY_S:
            return False
        self._looked = now
        if not self._is_due(self._clock.now()):
            return False
        self._renew_due()
        return True


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

    def is_due(self, now: datetime) -> bool:
        """Whether anything is; what looks is built again if server.yml has changed."""
        changed_ns = self._path.stat().st_mtime_ns
        if self._wishes is None or changed_ns != self._changed_ns:
            adapters = common_adapters(load(self._path))
            self._wishes = (
                renewals(adapters),
                web_certificate_due(adapters),
                wildcard_due(adapters),
            )
            self._changed_ns = changed_ns
        return any(wishes.any(now) for wishes in self._wishes)


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
