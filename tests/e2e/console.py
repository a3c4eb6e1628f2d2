"""A person at a terminal, for the tests: a pseudo-terminal with a program in it."""

import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

LIMIT_S = 150.0
# What moves the cursor and sets colours (ECMA-48, control sequences), and carriage returns.
_PAINT = re.compile(r"\x1b\[[0-9;?>]*[A-Za-z]|\x1b[=>]|\x1b\(B|\r")


class Console:
    """A program in a terminal of its own; what it shows is kept from one await_ to the next."""

    def __init__(
        self, argv: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> None:
        self.fd, theirs = os.openpty()
        self.slave = theirs
        self.resize(30, 100)
        self.settings = termios.tcgetattr(theirs)
        self.process = subprocess.Popen(
            argv,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, "TERM": "xterm-256color", **(env or {})},
            cwd=cwd,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        self.shown = ""

    def resize(self, rows: int, columns: int) -> None:
        """Change the window's size, as by dragging its corner."""
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))

    def send(self, keys: str) -> None:
        """Type."""
        os.write(self.fd, keys.encode())

    def ask(self, line: str) -> str:
        """Type a line for a shell, and what it prints up to its next prompt."""
        self.send(f"{line}; echo e''nd\r")
        text = self.await_(r"\nend\n").group(0)
        self.prompt()
        return text.removesuffix("\nend\n").partition("echo e''nd\n")[2]

    def prompt(self) -> None:
        """Wait until a shell waits for a line: what is typed earlier may be lost."""
        self.await_(r"[$#] \Z")

    def await_(self, pattern: str, limit_s: float = LIMIT_S) -> re.Match[str]:
        """Wait until it shows the pattern; the match begins at what was shown before."""
        deadline = time.monotonic() + limit_s
        while True:
            found = re.search(f"(?s).*?{pattern}", self.shown)
            if found:
                self.shown = self.shown[found.end() :]
                return found
            left_s = deadline - time.monotonic()
            assert left_s > 0, f"{pattern!r} was not shown: {self.shown!r}"
            if select.select([self.fd], [], [], left_s)[0]:
                try:
                    data = os.read(self.fd, 65_536)
                except OSError:
                    data = b""
                assert data, f"{pattern!r} was not shown: {self.shown!r}"
                self.shown = _PAINT.sub("", self.shown + data.decode(errors="replace"))

    def status(self) -> int:
        """Wait for its end, and read what it has shown until then; its exit status."""
        deadline = time.monotonic() + LIMIT_S
        while self.process.poll() is None:
            assert time.monotonic() < deadline, f"it goes on: {self.shown!r}"
            self._read(0.05)
        while time.monotonic() < deadline and self._read(0):
            pass
        return self.process.returncode

    def _read(self, limit_s: float) -> bool:
        """Whether it showed something more within the limit."""
        if not select.select([self.fd], [], [], limit_s)[0]:
            return False
        with suppress(OSError):
            self.shown += os.read(self.fd, 65_536).decode(errors="replace")
        return True

    def is_restored(self) -> bool:
        """Whether the terminal is set as at the beginning."""
        return termios.tcgetattr(self.slave) == self.settings

    def close(self) -> None:
        """Close the window."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        os.close(self.slave)
        os.close(self.fd)


@contextmanager
def console(
    argv: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> Iterator[Console]:
    """A console that is closed at the end."""
    opened = Console(argv, env=env, cwd=cwd)
    try:
        yield opened
    finally:
        opened.close()
