"""StatusLine: what is shown of something that takes long, and to whom."""

import os
import sys
import time
from collections.abc import Callable

import pytest

from paas.entrypoints.cli.status_line import ERASE, Look, StatusLine
from paas.entrypoints.cli.tables import print_table
from paas.services.progress import Recorded, Silent, waiting
from tests.fakes.output import FakeProgress

TERMINAL = Look(columns=40)


class Screen:
    """A StatusLine whose output is kept, for someone who may leave."""

    def __init__(self, look: Look) -> None:
        self.sent: list[bytes] = []
        self.is_there = True
        self.line = StatusLine(self.sent.append, lambda: self.is_there)
        self.line.look = look

    def after(self, seconds: float) -> list[bytes]:
        """What is written at that time from now."""
        before = len(self.sent)
        self.line.tick(time.monotonic() + seconds)
        return self.sent[before:]


def test_a_terminal_gets_a_line_after_a_second() -> None:
    """It is drawn over and over, with the time, and gone at the end."""
    screen = Screen(TERMINAL)
    with screen.line.doing("waiting for web.1"):
        assert screen.after(0.5) == []
        (first,) = screen.after(2.1)
        (second,) = screen.after(3.2)
        assert first.startswith(ERASE) and first.endswith(b" Waiting for web.1 (2 s)")
        assert second.endswith(b"(3 s)")
        assert b"\n" not in first + second
    assert screen.sent[-1] == ERASE
    assert screen.after(9) == []


def test_the_terminal_of_a_push_gets_carriage_returns() -> None:
    """git's client puts "remote: " before each, and passes no escape sequence on: a shorter line is
    filled up, in 80 columns, and one is drawn in each second."""
    screen = Screen(Look.of({"PAAS_PUSH_PROGRESS": "1"}))
    with screen.line.doing("building " + "x" * 100) as reword:
        (long,) = screen.after(2.1)
        assert screen.after(2.3) == []
        reword("building uwsgi")
        (short,) = screen.after(3.1)
        assert len(b"remote: " + long) == 80
        assert short.endswith(b"Building uwsgi (3 s)" + b" " * (len(long) - 28) + b"\r")
        screen.line.write(b"a line\n")
        assert screen.sent[-2:] == [b" " * 27 + b"\r", b"a line\n"]
    assert not any(b"\x1b" in sent for sent in screen.sent)


def test_output_replaces_what_is_drawn() -> None:
    """A line of the command's own never stands behind the drawing."""
    screen = Screen(TERMINAL)
    with screen.line.doing("building"):
        screen.after(2)
        screen.line.write(b"a line\n")
        assert screen.sent[-2:] == [ERASE, b"a line\n"]
        assert screen.after(0.5) == []
    assert screen.sent[-1] == b"a line\n"


def test_a_line_never_wraps() -> None:
    """What wraps could not be erased."""
    screen = Screen(TERMINAL)
    with screen.line.doing("waiting for " + "web.1, " * 20):
        (drawn,) = screen.after(2)
    assert len(drawn.removeprefix(ERASE)) == TERMINAL.columns - 1
    assert drawn.endswith(b" (2 s)")


def test_elsewhere_lines_become_rarer() -> None:
    """A pusher, a log file or a script gets plain lines, at 10, 30, 60, 120 s and then each 120."""
    screen = Screen(Look())
    with screen.line.doing("building") as reword:
        for seconds in range(1, 400):
            if seconds == 25:
                reword("building uwsgi")
            screen.after(seconds + 0.5)
    assert [line.decode().strip() for line in screen.sent] == [
        "Still building (10 s)",
        *(f"Still building uwsgi ({seconds} s)" for seconds in (30, 60, 120, 240, 360)),
    ]


def test_elsewhere_a_line_of_the_command_counts() -> None:
    """Right after other output no progress line is needed."""
    screen = Screen(Look())
    with screen.line.doing("building"):
        screen.after(11)
        screen.line.write(b"a line\n")
        assert screen.after(9) == []
        assert len(screen.after(11)) == 1
        assert screen.after(12) == []


def test_the_innermost_is_shown() -> None:
    """Something within something takes its place, and gives it back."""
    screen = Screen(TERMINAL)
    with screen.line.doing("outer"):
        with screen.line.doing("inner"):
            assert b"Inner" in screen.after(2)[0]
        assert b"Outer" in screen.after(4)[0]


@pytest.mark.parametrize("end", [ValueError, KeyboardInterrupt])
def test_an_error_ends_it(end: type[BaseException]) -> None:
    """Ctrl-C, too, leaves the terminal clean."""
    screen = Screen(TERMINAL)
    with pytest.raises(end), screen.line.doing("building"):
        screen.after(2)
        raise end
    assert screen.sent[-1] == ERASE


def test_who_has_left_is_not_drawn_at() -> None:
    """The terminal belongs to the shell again: not even the last line is erased."""
    screen = Screen(TERMINAL)
    with screen.line.doing("building"):
        screen.after(2)
        screen.is_there = False
        assert screen.after(3) == []
    assert screen.sent[-1] != ERASE


@pytest.mark.parametrize("env", [{}, {"TERM": "dumb"}, {"TERM": "xterm"}])
def test_no_terminal_no_drawing(env: dict[str, str]) -> None:
    """Neither without TERM, nor on one that cannot erase, nor where stderr is a file."""
    assert Look.of(env) == Look()


def test_waiting_for_a_lock_is_shown() -> None:
    """A waiter learns for whom it waits, and sees progress."""
    said = FakeProgress()
    with waiting(said)("alice deploys abc, since 10:02:11 UTC"):
        assert said.done == ["waiting for that"]
    assert said.lines == [
        " !     Waiting: alice deploys abc, since 10:02:11 UTC. This command runs after that."
    ]


def test_a_builds_log_has_none_of_it() -> None:
    """The log has the time of each line; only the terminal shows what is in progress."""
    said, log = FakeProgress(), list[bytes]()
    keep: Callable[[bytes], None] = log.append
    with Recorded(said, keep, lambda: None).doing("building"), Silent().doing("nothing"):
        pass
    assert (said.done, log) == (["building"], [])


@pytest.mark.parametrize(
    ("headers", "lines"),
    [(("Name", "State"), [b"Name   State", b"web.1  up"]), (("", ""), [b"web.1  up"])],
)
def test_a_table_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, headers: tuple[str, str], lines: list[bytes]
) -> None:
    """It has its headings; without any there is no empty line in their place."""
    reader, writer = os.openpty()
    with os.fdopen(writer, "w") as terminal, os.fdopen(reader, "rb", 0) as seen:
        monkeypatch.setattr(sys, "stdout", terminal)
        print_table(headers, [("web.1", "up")])
        assert seen.read(1000).splitlines() == lines
