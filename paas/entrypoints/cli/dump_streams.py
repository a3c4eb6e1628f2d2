"""Dumps on the standard input and output of a command."""

import os
import sys
from collections.abc import Iterator

from paas.domain.values.errors import usage_error
from paas.entrypoints.cli.session import Session
from paas.entrypoints.cli.terminal import goes_to_a_terminal

_CHUNK = 256 * 1024


def print_dump(data: bytes) -> None:
    """Print part of a dump."""
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def read_dump() -> Iterator[bytes]:
    """The input, in parts."""
    while data := sys.stdin.buffer.read(_CHUNK):
        yield data


def refuse_terminal_output(line: str) -> None:
    """Raises PaasError if the output is a terminal. line: what to type instead."""
    if goes_to_a_terminal():
        raise usage_error(
            "dump-stdout", "A dump cannot go to a terminal.", f"Redirect it to a file: {line}"
        )


def refuse_terminal_input(session: Session, line: str) -> None:
    """Raises PaasError if the input is a terminal. line: what to type instead."""
    if os.isatty(0) or session.terminal.can_be_asked:
        raise usage_error(
            "dump-stdin",
            "The dump is read from standard input, which is a terminal.",
            f"For example: {line}",
        )
