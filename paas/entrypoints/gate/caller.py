"""The client at the other end of a request, for commands that need more than its streams.

A client whose terminal is needed puts it into raw mode (paas/entrypoints/gate_client/rawmode.py)
and restores it at the end; this process does so if the client is killed.
"""

import socket
import struct
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from paas.entrypoints.gate import wire

_CREDENTIALS = struct.Struct("3i")


class GateCaller:
    """interfaces.Caller over the client's connection."""

    def __init__(self, conn: socket.socket, begin_to_wait: Callable[[], None]) -> None:
        self._conn = conn
        self._begin_to_wait = begin_to_wait
        self._has_ended: Callable[[], bool] = lambda: False

    def mark_waiting(self, has_ended: Callable[[], bool]) -> None:
        """See Slots.wait."""
        self._begin_to_wait()
        self._has_ended = has_ended

    @contextmanager
    def terminal(self) -> Iterator[None]:
        """The client's terminal, raw. Raises BrokenPipeError if the client has left.

        A client in the background is stopped by its shell's rules until it is in front.
        """
        before = termios.tcgetattr(0)
        wire.ask_terminal(self._conn)
        raw = termios.tcgetattr(0)
        try:
            yield
        finally:
            # If something has changed it meanwhile, perhaps a shell, that is left alone.
            with suppress(OSError, termios.error):
                if termios.tcgetattr(0) == raw:
                    termios.tcsetattr(0, termios.TCSANOW, before)

    def fileno(self) -> int:
        """The connection: incoming bytes mean a new size, end of file that the client has left."""
        return self._conn.fileno()

    def is_connected(self) -> bool:
        """Discard what has arrived; False at end of file, or has_ended. Never blocks."""
        if self._has_ended():
            return False
        self._conn.setblocking(False)
        try:
            return bool(self._conn.recv(4096))
        except BlockingIOError:
            return True
        except OSError:
            return False
        finally:
            self._conn.setblocking(True)

    def in_foreground(self) -> bool:
        """Whether the client is in its terminal's foreground, or has no terminal, as behind ssh.

        From the kernel, fields 5 and 8 of proc(5)'s stat: a process cannot ask a terminal that is
        not its own.
        """
        try:
            peer = self._conn.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
            pid = _CREDENTIALS.unpack(peer)[0]
            fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        except OSError:
            return False
        group, foreground = int(fields[2]), int(fields[5])
        return foreground in (-1, group)
