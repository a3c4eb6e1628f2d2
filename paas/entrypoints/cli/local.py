"""The caller of a command that runs in the caller's own process, without the gate."""

import os
import signal
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_CLIENT_GONE = (signal.SIGHUP, signal.SIGTERM)


class LocalCaller:
    """interfaces.Caller: events are signals, received through a pipe."""

    def __init__(self) -> None:
        self._news: int | None = None

    @contextmanager
    def terminal(self) -> Iterator[None]:
        """Their terminal, raw; signals become events, so that it is restored before the end."""
        before = termios.tcgetattr(0)
        self.fileno()
        signal.signal(signal.SIGWINCH, lambda *_: None)
        for number in _CLIENT_GONE:
            signal.signal(number, lambda *_: None)
        tty.setraw(0, termios.TCSADRAIN)
        try:
            yield
        finally:
            termios.tcsetattr(0, termios.TCSADRAIN, before)

    def fileno(self) -> int:
        """A pipe that receives the numbers of signals; made on first use."""
        if self._news is None:
            self._news, write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
            signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        return self._news

    def is_connected(self) -> bool:
        """False once a signal arrived that would have ended this process."""
        try:
            numbers = os.read(self.fileno(), 4096)
        except BlockingIOError:
            return True
        return not any(number in numbers for number in _CLIENT_GONE)

    def mark_waiting(self, has_ended: Callable[[], bool]) -> None:
        """This process serves only this caller, who is root and may do everything."""

    def in_foreground(self) -> bool:
        """Whether this process is in its terminal's foreground."""
        try:
            return os.tcgetpgrp(2) == os.getpgrp()
        except OSError:
            return True
