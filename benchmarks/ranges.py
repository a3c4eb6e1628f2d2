"""The ports and uids of a measured server's apps: no other benchmark of this machine has them."""

import socket
from dataclasses import dataclass

from benchmarks.commands import BenchError

# Room for hundreds of apps each, above the ports of tests (tests/ports.py) and below those that
# the kernel gives to outgoing connections. Of uids more than a thousand: one is the drains'.
_CHOICES = (("30000-31383", "300000-301099"), ("31384-32767", "302000-303099"))


@dataclass(frozen=True, slots=True)
class Ranges:
    """app_ports and uids: first and last, as install.sh takes them.

    lock: an abstract Unix socket, which ends with this process and leaves nothing behind.
    """

    app_ports: str
    uids: str
    lock: socket.socket

    @classmethod
    def claimed(cls, lock_name: str = "paas-benchmark") -> "Ranges":
        """The first that are free. Raises BenchError if there are none."""
        for app_ports, uids in _CHOICES:
            lock = socket.socket(socket.AF_UNIX)
            try:
                lock.bind(f"\0{lock_name}-{app_ports}")
            except OSError:
                lock.close()
            else:
                return cls(app_ports, uids, lock)
        raise BenchError(
            f"This machine has ports and uids for {len(_CHOICES)} benchmarks at once, and as many "
            "are running. Wait for one of them to end: pgrep --full benchmarks/run"
        )

    def release(self) -> None:
        """Let others have them."""
        self.lock.close()
