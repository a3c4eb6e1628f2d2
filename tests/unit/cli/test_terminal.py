"""What is shown to a person holds nothing of others' that acts on their terminal."""

import os
import pty
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from paas.entrypoints.cli.tables import print_table
from paas.entrypoints.cli.terminal import Terminal

EVIL = "\x1b[2J\x1b]0;title\x07 \u202ertl\r\nv9 current"
SHOWN = r"\x1b[2J\x1b]0;title\x07 \u202ertl\r\nv9 current"


def test_a_commit_s_subject_moves_no_cursor(capfd: pytest.CaptureFixture[str]) -> None:
    """In tables, and in the description of a release."""
    print_table(("Release", "Description"), [("v1", EVIL)])
    progress = Terminal()
    for tell in (progress.step, progress.detail, progress.warn):
        tell(f"Retry of v1: {EVIL}")
    told = capfd.readouterr()
    assert told.out == f"v1  {SHOWN}\n"
    assert told.err.count(SHOWN) == 3
    assert told.err.count("\n") == 3
    assert told.err.isascii()


def test_what_a_build_prints_is_passed_on(capfd: pytest.CaptureFixture[str]) -> None:
    """With its colours, to who has pushed it."""
    Terminal().output(b"\x1b[32mok\x1b[0m")
    assert capfd.readouterr().err == "\x1b[32mok\x1b[0m\n"


@contextmanager
def terminal() -> Iterator[int]:
    """The other end of a terminal that is stdin and stderr."""
    kept = [os.dup(fd) for fd in (0, 2)]
    ours, theirs = pty.openpty()
    os.dup2(theirs, 0)
    os.dup2(theirs, 2)
    try:
        yield ours
    finally:
        for fd, before in zip((0, 2), kept, strict=True):
            os.dup2(before, fd)
        for fd in (*kept, ours, theirs):
            os.close(fd)


@pytest.mark.parametrize(
    ("typed", "agreed"), [(b"y\n", True), (b"YES\n", True), (b"n\n", False), (b"\n", False)]
)
def test_a_question_at_a_terminal(typed: bytes, agreed: bool) -> None:
    """Only y or yes is one."""
    with terminal() as typist:
        os.write(typist, typed)
        assert Terminal().ask("Go on?") is agreed
        shown = os.read(typist, 1000)
        while b"Go on? [y/N] " not in shown:
            shown += os.read(typist, 1000)


def test_who_leaves_has_not_agreed() -> None:
    """Ctrl-C at a question changes nothing; who is in the background is not asked."""
    with terminal():
        assert Terminal(has_left=lambda: True).ask("Go on?") is False
        assert Terminal(in_foreground=lambda: False).ask("Go on?") is True


def test_without_a_terminal_nobody_is_asked() -> None:
    """Behind ssh a laptop says whether one is there; a script's stdin is no answer."""
    ours, theirs = os.pipe()
    kept = os.dup(0)
    os.dup2(ours, 0)
    try:
        os.write(theirs, b"n\n")
        progress = Terminal()
        assert progress.ask("Go on?") is True
        progress.can_be_asked = True
        assert progress.ask("Go on?") is False
    finally:
        os.dup2(kept, 0)
        for fd in (kept, ours, theirs):
            os.close(fd)
