"""What the user sees: narration and errors on stderr, data on stdout; and nothing breaks it."""

import json
import os
import sys
from collections.abc import Sequence

from tabulate import tabulate

from paas.domain.errors import PaasError
from paas.services.narration import DETAIL, STEP, WARNING, error_lines

BOLD, RED, PLAIN = "\x1b[1m", "\x1b[31m", "\x1b[0m"


class Terminal:
    """Narrator of domain.interfaces. A closed terminal is noticed and then left in peace: what
    is being done goes on."""

    def __init__(self) -> None:
        self._open = True
        self._colour = os.isatty(2) and "NO_COLOR" not in os.environ

    def step(self, text: str) -> None:
        self._write(self._dressed(BOLD, STEP + text))

    def detail(self, text: str) -> None:
        self._write(DETAIL + text)

    def warn(self, text: str) -> None:
        self._write(self._dressed(RED, WARNING + text))

    def raw(self, line: bytes) -> None:
        self._send(line + b"\n")

    def error(self, error: PaasError) -> None:
        """The one place where errors are rendered."""
        for line in error_lines(error):
            self.warn(line)

    def _dressed(self, colour: str, text: str) -> str:
        return f"{colour}{text}{PLAIN}" if self._colour else text

    def _write(self, text: str) -> None:
        self._send(text.encode("utf-8", "surrogateescape") + b"\n")

    def _send(self, line: bytes) -> None:
        if not self._open:
            return
        try:
            while line:
                line = line[os.write(2, line) :]
        except OSError:
            self._open = False


def print_json(value: object) -> None:
    """Data for programs, on stdout."""
    sys.stdout.write(json.dumps(value, indent=2) + "\n")
    sys.stdout.flush()


def print_table(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Data for people, on stdout; a heading only on a terminal, so that pipes are clean."""
    if not rows:
        return
    shown = headers if sys.stdout.isatty() else ()
    print_line(tabulate(rows, headers=shown, tablefmt="plain", disable_numparse=True))


def print_line(text: str) -> None:
    """One line of data on stdout."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
