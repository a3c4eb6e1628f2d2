"""Progress of long operations: a line that is redrawn on a terminal, lines at growing intervals
elsewhere.

The server's process writes it to the client's stderr, perhaps through ssh. So it does not hide the
cursor, since nothing might show it again; it never waits for a terminal that is stopped or slow;
and it stops when the client has disconnected or is in the background, since another program then
uses the terminal. No progress library does these three.
"""

import os
import select
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

# Supported by every terminal and font.
FRAMES = "-\\|/"
FIRST_S = 1.0
FRAME_S = 0.1
# Where no line can be redrawn: after so many seconds of silence, then every NEXT_STILL_S, since
# some programs that wait for others end them after a silence.
STILL_S = (10.0, 30.0, 60.0, 120.0)
NEXT_STILL_S = 120.0
COLUMNS_MAX = 100
ERASE = b"\r\x1b[K"
# git puts "remote: " before each line of a hook; it does not tell the terminal's width.
GIT_COLUMNS = 80 - len("remote: ")


@dataclass(frozen=True, slots=True)
class Look:
    """What the client's stderr is. columns: a terminal's width; 0: none, or one that cannot erase.

    colour: whether colours are wanted. through_git: the terminal belongs to the git client of a
    push, which passes a line on when it ends, with a newline or a carriage return, and shows escape
    sequences as text in its newer versions (sideband.c).
    """

    columns: int = 0
    colour: bool = False
    through_git: bool = False

    @classmethod
    def of(cls, env: Mapping[str, str]) -> "Look":
        """Of descriptor 2 of this process; env: the client's (TERM, https://no-color.org)."""
        if env.get("PAAS_PUSH_PROGRESS"):
            return cls(GIT_COLUMNS, through_git=True)
        if env.get("TERM", "dumb") == "dumb":
            return cls()
        try:
            columns = os.get_terminal_size(2).columns
        except OSError:
            return cls()
        return cls(columns or 80, not env.get("NO_COLOR"))


@dataclass(slots=True)
class _Task:
    """An operation in progress. began: seconds (monotonic)."""

    text: str
    began: float
    ended: threading.Event


class StatusLine:
    """Shows what is in progress, from its own thread, between the lines that the command writes.

    send: writes bytes to the client. may_draw: whether the client is there and in the foreground.
    """

    def __init__(self, send: Callable[[bytes], None], may_draw: Callable[[], bool]) -> None:
        self.look = Look()
        self._send = send
        self._may_draw = may_draw
        # Held while writing.
        self._lock = threading.RLock()
        self._tasks: list[_Task] = []
        self._drawn = ""
        self._written = 0.0
        # How many lines were written in this silence.
        self._said = 0

    @contextmanager
    def doing(self, text: str) -> Iterator[Callable[[str], None]]:
        """Show it while the block runs, if that takes longer than a second.

        Yields a function that replaces the text.
        """
        task = _Task(text, time.monotonic(), threading.Event())
        with self._lock:
            self._tasks.append(task)
            self._said = 0
        threading.Thread(target=self._run, args=(task,), daemon=True).start()
        try:
            yield lambda words: setattr(task, "text", words)
        finally:
            with self._lock:
                task.ended.set()
                self._tasks.remove(task)
                self._erase()

    def write(self, data: bytes) -> None:
        """Write the command's own output, in place of what is drawn."""
        with self._lock:
            self._erase()
            self._send(data)
            self._written = time.monotonic()
            self._said = 0

    def tick(self, now: float) -> None:
        """Draw what is due at that moment (monotonic); called often."""
        with self._lock:
            if not self._tasks:
                return
            # Of nested ones, the innermost is shown.
            task = self._tasks[-1]
            silent_s = now - max(task.began, self._written)
            if not self._drawn and silent_s < (FIRST_S if self.look.columns else self._next_s()):
                return
            if not _has_room() or not self._may_draw():
                return
            seconds = int(now - task.began)
            if self.look.columns:
                self._draw(task.text, now, seconds)
            else:
                self._said += 1
                self._send(f"       Still {task.text} ({seconds} s)\n".encode())

    def _next_s(self) -> float:
        """After how many seconds of silence the next line is due."""
        if self._said < len(STILL_S):
            return STILL_S[self._said]
        return STILL_S[-1] + NEXT_STILL_S * (self._said - len(STILL_S) + 1)

    def _run(self, task: _Task) -> None:
        while not task.ended.wait(FRAME_S):
            with self._lock:
                if not task.ended.is_set() and self._tasks[-1] is task:
                    self.tick(time.monotonic())

    def _draw(self, text: str, now: float, seconds: int) -> None:
        # Through git, each drawing is a packet over the network: one a second is enough.
        number = seconds if self.look.through_git else int(now / FRAME_S)
        line = f"     {FRAMES[number % len(FRAMES)]} {text[:1].upper()}{text[1:]}"
        time_taken = f" ({seconds} s)"
        # One that wraps could not be erased; the window may have been made smaller.
        width = min(self.look.columns, _columns(self.look.columns), COLUMNS_MAX) - 1
        line = line[: width - len(time_taken)] + time_taken
        if line == self._drawn:
            return
        before, self._drawn = self._drawn, line
        if self.look.through_git:
            self._send(_shown(line.ljust(len(before))) + b"\r")
        else:
            self._send(ERASE + _shown(line))

    def _erase(self) -> None:
        if not self._drawn:
            return
        blank = b" " * len(self._drawn) + b"\r" if self.look.through_git else ERASE
        self._drawn = ""
        # If the client has disconnected, the line belongs to its shell's prompt.
        if self._may_draw():
            self._send(blank)


def _shown(line: str) -> bytes:
    return line.encode("utf-8", "backslashreplace")


def _columns(default: int) -> int:
    try:
        return os.get_terminal_size(2).columns or default
    except OSError:
        return default


def _has_room() -> bool:
    """Whether a write would not block on a stopped terminal or a slow connection."""
    poll = select.poll()
    poll.register(2, select.POLLOUT)
    return bool(poll.poll(0))
