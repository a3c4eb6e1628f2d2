"""The client at the other end of a request, for commands that need more of it than its streams.

A client whose terminal is wanted puts it into raw mode (paas/entrypoints/gateclient/rawmode.py)
and sets it back at the end; so does this process, should the client be killed.
"""

import socket
import termios
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from paas.entrypoints.gate import wire


class GateCaller:
    """domain.interfaces.Caller over the client's connection."""

    def __init__(self, conn: socket.socket) -> None:
        self._conn = conn

    @contextmanager
    def terminal(self) -> Iterator[None]:
        """The client's terminal, raw. Raises BrokenPipeError where the client has left.

        A client in the background is stopped by its shell's rules until it is in front.
        """
        before = termios.tcgetattr(0)
        wire.ask_terminal(self._conn)
        raw = termios.tcgetattr(0)
        try:
            yield
        finally:
            # Whoever has set it otherwise meanwhile, a shell perhaps, knows better.
            with suppress(OSError, termios.error):
                if termios.tcgetattr(0) == raw:
                    termios.tcsetattr(0, termios.TCSANOW, before)

    def fileno(self) -> int:
        """The connection: bytes that arrive mean a new size, its end that the client has left."""
        return self._conn.fileno()

    def is_there(self) -> bool:
        """Take what has arrived; False at the end. Never blocks."""
        self._conn.setblocking(False)
        try:
            return bool(self._conn.recv(4096))
        except BlockingIOError:
            return True
        except OSError:
            return False
        finally:
            self._conn.setblocking(True)
