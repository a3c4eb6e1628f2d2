"""The Unix sockets on which the gate, and the processes without rights, listen."""

import os
import socket
from pathlib import Path

BACKLOG = 128
NEW_NETWORK = 0x4000_0000  # CLONE_NEWNET, unshare(2)


def listen(path: Path, gid: int) -> socket.socket:
    """Listen at a path where nothing is, for root and that group. Raises OSError."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(before)
    os.chown(path, 0, gid)
    path.chmod(0o660)
    listener.listen(BACKLOG)
    return listener
