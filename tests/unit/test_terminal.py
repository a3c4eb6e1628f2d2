"""What is shown to a person holds nothing of others' that acts on their terminal."""

import pytest

from paas.entrypoints.cli.tables import print_table
from paas.entrypoints.cli.terminal import Terminal

EVIL = "\x1b[2J\x1b]0;title\x07 \u202ertl\r\nv9 current"
SHOWN = r"\x1b[2J\x1b]0;title\x07 \u202ertl\r\nv9 current"


def test_a_commit_s_subject_moves_no_cursor(capfd: pytest.CaptureFixture[str]) -> None:
    """In tables, and in what is told of a release."""
    print_table(("Release", "Description"), [("v1", EVIL)])
    say = Terminal()
    for tell in (say.step, say.detail, say.warn):
        tell(f"Retry of v1: {EVIL}")
    told = capfd.readouterr()
    assert told.out == f"v1  {SHOWN}\n"
    assert told.err.count(SHOWN) == 3
    assert told.err.count("\n") == 3
    assert told.err.isascii()


def test_what_a_build_prints_is_passed_on(capfd: pytest.CaptureFixture[str]) -> None:
    """With its colours, to who has pushed it."""
    Terminal().raw(b"\x1b[32mok\x1b[0m")
    assert capfd.readouterr().err == "\x1b[32mok\x1b[0m\n"
