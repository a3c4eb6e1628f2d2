"""The launcher's part that gives a process its own terminal, for `paas run`.

The app never gets the caller's terminal: it gets a new pseudo-terminal (pty(7)), and the caller
gets the other end. Standard library only.
"""

import os
import sys

READY = b"t"


def take(uid: int) -> None:
    """Make a pseudo-terminal, hand its other end over, and let this process control it.

    Descriptor 0 is a connected Unix stream socket. READY goes out on it with the descriptor, and
    the launcher continues when one byte comes back: by then the terminal has its size. Everything
    written after that goes to the terminal. Raises OSError.
    """
    import _socket
    import fcntl
    import termios

    master, slave = os.openpty()
    os.fchown(slave, uid, uid)
    os.fchmod(slave, 0o600)
    line = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM, 0, 0)
    rights = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, master.to_bytes(4, sys.byteorder))]
    line.sendmsg([READY], rights)
    os.close(master)
    answer = line.recv(1)
    line.detach()
    if not answer:
        os._exit(1)  # the caller is gone
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for number in (0, 1, 2):
        os.dup2(slave, number)
    os.close(slave)
