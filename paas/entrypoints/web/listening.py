"""The socket on which a process without rights listens for the proxy.

Apart from the web server, so that the process for streams need not load Flask and Gunicorn.
"""

import os
import socket
from pathlib import Path

BACKLOG = 128
NEW_NETWORK = 0x4000_0000  # CLONE_NEWNET, unshare(2)


def listen(path: Path, gid: int) -> socket.socket:
    """Listen for the proxy, whose group that is."""
    path.unlink(missing_ok=True)
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
