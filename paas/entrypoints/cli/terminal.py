"""What the user sees: progress and errors on stderr, data on stdout."""

import json
import os
import select
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext

import click

from paas.domain.releases.releases import Release
from paas.domain.values.errors import PaasError
from paas.domain.values.line_marks import DETAIL, STEP, WARNING, error_lines
from paas.domain.values.names import ProcessType, printable
from paas.entrypoints.cli.status_line import Look, StatusLine
from paas.interfaces import Reword

ANSWER_LIMIT_S = 60.0
ANSWER_POLL_S = 0.5
ANSWER_MAX_BYTES = 1024
BOLD, RED, PLAIN = "\x1b[1m", "\x1b[31m", "\x1b[0m"


class Terminal:
    """Progress of paas/interfaces. Once the terminal is closed, nothing is written and the command
    continues. Control characters are escaped, except in output.

    reply: answers the client while the rest of the command is done. has_left: whether the client
    has disconnected. in_foreground: whether the client is in the foreground of its terminal, so
    that progress may be drawn on it.
    """

    def __init__(
        self,
        look: Look | None = None,
        has_left: Callable[[], bool] = lambda: False,
        in_foreground: Callable[[], bool] = lambda: True,
        reply: Callable[[], None] = lambda: None,
    ) -> None:
        self._open = True
        # Whether stdin is a terminal, where ssh gives us none (option --stdin-terminal).
        self.can_be_asked = False
        self._has_left = has_left
        self._in_foreground = in_foreground
        self._reply = reply
        self._line = StatusLine(self._send, lambda: not has_left() and in_foreground())
        self.is_seen_as(look or Look())

    def is_seen_as(self, look: Look) -> None:
        """Set the client's terminal; a client behind ssh reports it (option --terminal)."""
        self._line.look = look

    @property
    def colour(self) -> bool:
        """Whether colors are wanted."""
        return self._line.look.colour

    def doing(self, text: str) -> AbstractContextManager[Reword]:
        """Show what is in progress while the block runs, if it takes longer than a second."""
        return self._line.doing(text)

    def step(self, text: str) -> None:
        self._write(self._dressed(BOLD, STEP + printable(text)))

    def detail(self, text: str) -> None:
        self._write(DETAIL + printable(text))

    def warn(self, text: str) -> None:
        self._write(self._dressed(RED, WARNING + printable(text)))

    def output(self, line: bytes) -> None:
        self._line.write(line + b"\n")

    def live(self) -> None:
        self._reply()

    def check(self) -> None:
        """Do nothing: a command runs to its end even if its client has disconnected."""

    def waiting_for(self, holder: str) -> AbstractContextManager[None]:  # noqa: ARG002 - of the Protocol
        """A person sees whom they wait for, and can leave."""
        return nullcontext()

    def accepted(self, release: Release, formation: Mapping[ProcessType, int] | None) -> None:
        """Nothing: a command runs to its end."""

    def ask(self, question: str) -> bool:
        """True for y or yes typed at a terminal; False after a minute without an answer."""
        at_terminal = self.can_be_asked or (os.isatty(0) and os.isatty(2))
        if not at_terminal or not self._in_foreground():
            return True
        self._send(f"{DETAIL}{question} [y/N] ".encode())
        deadline = time.monotonic() + ANSWER_LIMIT_S
        while not select.select([0], [], [], ANSWER_POLL_S)[0]:
            if self._has_left():
                return False
            if time.monotonic() > deadline:
                self.warn("")
                self.warn(f"There was no answer within {ANSWER_LIMIT_S:g} s.")
                return False
        return os.read(0, ANSWER_MAX_BYTES).strip().lower() in {b"y", b"yes"}

    def error(self, error: PaasError) -> None:
        """The one place where errors are rendered."""
        for line in error_lines(error):
            self.warn(line)

    def _dressed(self, colour: str, text: str) -> str:
        return f"{colour}{text}{PLAIN}" if self.colour else text

    def _write(self, text: str) -> None:
        self._line.write(text.encode("utf-8", "surrogateescape") + b"\n")

    def _send(self, line: bytes) -> None:
        # After Ctrl-C a terminal shows the shell's prompt, and what is typed there.
        if not self._open or (os.isatty(2) and self._has_left()):
            return
        try:
            while line:
                line = line[os.write(2, line) :]
        except OSError:
            self._open = False


def print_json(value: object) -> None:
    """Data for programs, on stdout."""
    print_line(json.dumps(value, indent=2))


def goes_to_a_terminal() -> bool:
    """Whether stdout is a terminal, here or, as reported by the client, behind ssh."""
    context = click.get_current_context(silent=True)
    is_terminal = context is not None and context.find_root().params.get("stdout_terminal")
    return bool(is_terminal) or sys.stdout.isatty()


def print_line(text: str) -> None:
    """One line of data on stdout."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
