"""Handing descriptors to the platform's own processes, by datagrams without waiting.

A process that does not listen finds what it needs when it starts. Standard library only.
"""

import os
import sys

_LIMIT_S = 0.2

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any


def announce_pipe(path: str) -> None:
    """Announce a FIFO, which is open as descriptor 1, to the log process.

    The descriptor is sent along: it keeps the last output of a process that ends before the log
    process has opened the FIFO itself.
    """
    _sender(path.rsplit("/", 3)[0] + "/log.sock")(path.encode(), [1])


def layer_sender(spec: "dict[str, Any]") -> "Callable[[int], None]":
    """What sends the monitor a descriptor of the layer; it is connected before that is made, since
    the socket is out of sight then. See paas/adapters/runtime/native/scratch_keeper.py.
    """
    keeper = spec.get("keeper")
    if keeper is None or spec["writable_slug"]:
        return lambda _scratch: None
    send = _sender(keeper["socket"])

    def hand_over(scratch: int) -> None:
        try:
            process = os.pidfd_open(os.getpid())
        except OSError:
            return
        send(keeper["name"].encode(), [process, scratch])

    return hand_over


def _sender(path: str) -> "Callable[[bytes, Sequence[int]], None]":
    import _socket

    made = _socket.socket(_socket.AF_UNIX, _socket.SOCK_DGRAM | _socket.SOCK_CLOEXEC)
    made.settimeout(_LIMIT_S)
    try:
        made.connect(path)
    except OSError:
        return lambda _text, _fds: None

    def send(text: bytes, fds: "Sequence[int]") -> None:
        rights = b"".join(fd.to_bytes(4, sys.byteorder) for fd in fds)
        try:
            made.sendmsg([text], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, rights)])
        except OSError:
            pass

    return send
