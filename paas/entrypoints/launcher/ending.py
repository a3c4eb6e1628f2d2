"""Handing the throw-away layer to the watch process, which looks into it when the process ends.

See paas/adapters/runtime/native/scratch_keeper.py. Standard library only.
"""

import os
import sys

_LIMIT_S = 0.2

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def teller(spec: "dict[str, Any]") -> "Callable[[int], None]":
    """What sends a descriptor of the layer, when it is there; the socket is out of sight then.

    Nobody waits for a keeper that is not there: it is told of the instance when it starts.
    """
    keeper = spec.get("keeper")
    if keeper is None or spec["writable_slug"]:
        return _nothing
    import _socket

    sender = _socket.socket(_socket.AF_UNIX, _socket.SOCK_DGRAM | _socket.SOCK_CLOEXEC)
    sender.settimeout(_LIMIT_S)
    try:
        sender.connect(keeper["socket"])
    except OSError:
        return _nothing

    def tell(scratch: int) -> None:
        try:
            fds = (os.pidfd_open(os.getpid()), scratch)
            rights = b"".join(fd.to_bytes(4, sys.byteorder) for fd in fds)
            ancillary = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, rights)]
            sender.sendmsg([keeper["name"].encode()], ancillary)
        except OSError:
            return

    return tell


def _nothing(_scratch: int) -> None:
    """In place of what is not needed."""
