"""The client's terminal while a process on the server uses it: raw, and restored at the end."""

from __future__ import annotations

import termios
import tty

TYPE_CHECKING = False
if TYPE_CHECKING:
    import _socket

_SIGWINCH = 28  # Linux; the signal module costs 5 ms
_READY = b"r"
_RESIZED = b"w"


class RawMode:
    """Terminal 0 in raw mode; the server's child reads and writes it."""

    def __init__(self) -> None:
        self._before = termios.tcgetattr(0)

    def enter(self, sock: _socket.socket) -> None:
        """Pass every key on, and notify the server of that and of each change of size."""
        __import__("_signal").signal(_SIGWINCH, lambda *_: _report(sock, _RESIZED))
        tty.setraw(0, termios.TCSADRAIN)
        _report(sock, _READY)

    def leave(self) -> None:
        """Restore it; no error if it is gone."""
        try:
            termios.tcsetattr(0, termios.TCSADRAIN, self._before)
        except termios.error:
            return


def _report(sock: _socket.socket, word: bytes) -> None:
    try:
        sock.send(word)
    except OSError:
        return  # the server is gone: the code that waits for its answer finds that out
