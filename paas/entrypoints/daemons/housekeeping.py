"""What the monitor process looks after now and then: its own thread.

The reserve on the disk, what the audit trail no longer keeps, archives that nobody built, and that
an embedded server's sshd listens on all its addresses.
"""

import threading
from contextlib import suppress

from paas.adapters.network import port_guard
from paas.entrypoints.daemons.supervised import log
from paas.entrypoints.daemons.turns import Turns
from paas.wiring.monitor import MonitorAdapters

TURN_S = 15.0


class Housekeeping:
    """One look per turn. sshd is ended if it does not listen twice in a row: it may be starting."""

    def __init__(self, adapters: MonitorAdapters) -> None:
        self._settings = adapters.settings
        self._reserve = adapters.reserve
        self._audit_trail = adapters.audit_trail
        self._uploads = adapters.uploads
        self._clock = adapters.clock
        self._was_unreachable = False

    def start(self, stop: threading.Event) -> None:
        """Begin, in the background."""
        Turns("housekeeping", log).start(self.turn, stop, TURN_S, at_once=True)

    def turn(self) -> None:
        """One look."""
        with suppress(OSError):
            self._reserve.keep()
        with suppress(OSError):
            self._audit_trail.expire(self._clock.now())
        with suppress(OSError):
            self._uploads.expire()
        if self._settings.embedded:
            self._look_at_sshd()

    def _look_at_sshd(self) -> None:
        port = self._settings.ssh_port
        unreachable = not port_guard.listens_everywhere(port)
        if (
            unreachable
            and self._was_unreachable
            and port_guard.end_unreachable_sshd(self._settings)
        ):
            log(f"sshd does not listen on all addresses of port {port}: starting it again.")
        self._was_unreachable = unreachable
