"""Connection attempts as an app makes them: with its uid, in its network.

Reading the rules is not enough: other programs' rules and missing kernel features matter as well.
"""

import ctypes
import os
import socket
from pathlib import Path
from threading import Thread

_CLONE_NEWNET = 0x40000000
_LIMIT_S = 2.0


def connects(uid: int, host: str, port: int, network: Path | None = None) -> bool:
    """Whether a process of that uid can connect: tried in a forked, unprivileged child.

    network: the file of its network namespace; None: the machine's own.
    """
    child = os.fork()
    if child == 0:
        try:
            if network is not None:
                _join(network)
            if uid:
                os.setgroups([])
                os.setgid(uid)
                os.setuid(uid)
            with socket.create_connection((host, port), _LIMIT_S):
                os._exit(0)
        except OSError:
            pass
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def listener_in(network: Path, port: int) -> socket.socket:
    """A socket that listens on all addresses of a network namespace. Raises OSError."""
    made: list[socket.socket] = []
    faults: list[OSError] = []

    def listen() -> None:
        try:
            _join(network)
            made.append(socket.create_server(("0.0.0.0", port)))
        except OSError as error:
            faults.append(error)

    # A thread may be in another namespace than its process, and its sockets stay there.
    thread = Thread(target=listen)
    thread.start()
    thread.join()
    if faults:
        raise faults[0]
    return made[0]


def _join(network: Path) -> None:
    """Put this thread into a network namespace (setns(2); in Python's os from 3.12)."""
    with network.open() as file:
        if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), _CLONE_NEWNET):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(network))
