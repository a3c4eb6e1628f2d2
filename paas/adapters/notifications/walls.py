"""What a process that sends notifications may connect to: checked at each connection it makes.

So neither a name that resolves to another address at the second look, nor a redirect, leads to
what only the server can reach, whichever library connects.
"""

import resource
import socket
from typing import Any

from paas.adapters.logs.drain_sinks import is_own
from paas.domain.notifications.targets import why_refused

MEMORY_BYTES = 512 * 1024**2


class RefusedAddressError(OSError):
    """An address to which nothing is sent."""


def raise_walls(*, to_private: bool) -> None:
    """For the rest of this process. to_private: see `targets.why_refused`."""
    original = socket.socket

    def check(family: int, address: Any) -> None:
        if family not in (socket.AF_INET, socket.AF_INET6):
            raise RefusedAddressError("it is no host")
        try:
            why = why_refused(str(address[0]), to_private=to_private)
        except ValueError:
            raise RefusedAddressError("its name was not resolved") from None
        if why is None and not to_private and _is_own(family, address):
            why = "it is this server itself"
        if why is not None:
            raise RefusedAddressError(f"nothing is sent to {address[0]}: {why}")

    def _is_own(family: int, address: Any) -> bool:
        socket.socket = original  # type: ignore[misc] # which is_own makes one of
        try:
            return is_own(family, address)
        finally:
            socket.socket = Walled  # type: ignore[misc]

    class Walled(original):  # type: ignore[misc, valid-type]
        """A socket that connects to nothing else."""

        def connect(self, address: Any) -> None:
            """As usual. Raises OSError."""
            check(self.family, address)
            super().connect(address)

        def connect_ex(self, address: Any) -> int:
            """As usual. Raises OSError."""
            check(self.family, address)
            return int(super().connect_ex(address))

    socket.socket = Walled  # type: ignore[misc]


def limit_memory() -> None:
    """However large an answer is, it takes no more than that."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
