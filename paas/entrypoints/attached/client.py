"""The client of a rendezvous as the caller of a one-off process: its descriptors and events.

The process gets a terminal or pipes of its own as for any caller (adapters/runtime). At this end
the descriptors 0, 1 and 2 are a pseudo-terminal, between which and the connection bytes are copied;
without a terminal, a pipe and the connection itself.
"""

import fcntl
import os
import socket
import struct
import termios
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from paas.domain.streams.rendezvous import until_end

_PIECE_BYTES = 65_536
_FLUSH_LIMIT_S = 30.0


class Client:
    """interfaces.Caller. size: rows and columns of its terminal, or None for no terminal.

    has_ended: whether the user may no longer do it.
    """

    def __init__(self, size: tuple[int, int] | None, has_ended: Callable[[], bool]) -> None:
        self._size = size
        self._has_ended = has_ended
        self._line: socket.socket | None = None
        self._master = -1
        self._news, self._tell = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._left = False
        self._outward: threading.Thread | None = None

    def attend(self, line: socket.socket) -> None:
        """The client has come; line: its connection."""
        self._line = line
        if self._size is None:
            read, write = os.pipe2(os.O_CLOEXEC)
            for fd, target in ((read, 0), (line.fileno(), 1), (line.fileno(), 2)):
                os.dup2(fd, target)
            os.close(read)
            self._start(self._pass_input, line, write)
            return
        self._master, slave = os.openpty()
        rows, columns = self._size
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))
        for target in (0, 1, 2):
            os.dup2(slave, target)
        os.close(slave)

    @contextmanager
    def terminal(self) -> Iterator[None]:
        """Pass every key on. What the client has typed before comes now."""
        tty.setraw(0, termios.TCSANOW)
        assert self._line is not None
        self._start(self._pass_keys, self._line)
        self._outward = self._start(self._pass_output, self._line)
        yield

    def fileno(self) -> int:
        """A pipe that can be read from when the client has left."""
        return self._news

    def is_connected(self) -> bool:
        """Whether it is still there."""
        return not self._left and not self._has_ended()

    def mark_waiting(self, has_ended: Callable[[], bool]) -> None:
        """It is: see operations.runs."""

    def in_foreground(self) -> bool:
        """Nothing else is at that terminal."""
        return True

    def tell(self, text: str) -> None:
        """Send a text of ours, if the client has come."""
        if self._line is not None:
            with suppress(OSError):
                self._line.sendall(text.replace("\n", "\r\n").encode())

    def finish(self) -> None:
        """Deliver what is left, and close the connection."""
        null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        for fd in (0, 1, 2):
            os.dup2(null, fd)
        os.close(null)
        if self._outward is not None:
            # The terminal has no other end any more: its last bytes can be read, then an error.
            self._outward.join(None if not self._left else _FLUSH_LIMIT_S)
        if self._line is not None:
            with suppress(OSError):
                self._line.shutdown(socket.SHUT_WR)
            self._line.close()

    def _start(self, target: Callable[..., None], *args: object) -> threading.Thread:
        thread = threading.Thread(target=target, args=args, daemon=True)
        thread.start()
        return thread

    def _pass_keys(self, line: socket.socket) -> None:
        """From the client to the terminal."""
        with suppress(OSError):
            while data := line.recv(_PIECE_BYTES):
                _write_all(self._master, data)
        self._leave()

    def _pass_input(self, line: socket.socket, pipe: int) -> None:
        """From the client to the pipe, which is closed at the end of its input."""
        is_open = True
        with suppress(OSError):
            while data := line.recv(_PIECE_BYTES):
                if not is_open:
                    continue
                data, ended = until_end(data)
                try:
                    _write_all(pipe, data)
                except BrokenPipeError:
                    ended = True
                if ended:
                    os.close(pipe)
                    is_open = False
        if is_open:
            os.close(pipe)
        self._leave()

    def _pass_output(self, line: socket.socket) -> None:
        """From the terminal to the client."""
        with suppress(OSError):
            while data := os.read(self._master, _PIECE_BYTES):
                line.sendall(data)

    def _leave(self) -> None:
        self._left = True
        with suppress(BlockingIOError):
            os.write(self._tell, b"x")


def _write_all(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]
