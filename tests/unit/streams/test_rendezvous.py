"""The rendezvous protocol, step by step."""

import pytest

from paas.domain.streams.rendezvous import (
    NoSecretError,
    Opening,
    WholeMarks,
    place_of,
    until_end,
)

SECRET = "s" * 43
MARK = "\uffff heroku-command-exit-status: 7".encode()


@pytest.mark.parametrize(
    ("pieces", "rest"),
    [
        ([SECRET.encode()], b""),
        ([SECRET.encode() + b"\r\n"], b""),
        ([SECRET.encode() + b"\r\nls\r"], b"ls\r"),
        ([SECRET[:9].encode(), SECRET[9:].encode() + b"\r\n"], b""),
    ],
)
def test_a_secret_comes_with_or_without_a_line_end(pieces: list[bytes], rest: bytes) -> None:
    """And in pieces; what follows is typed for the process."""
    opening = Opening()
    *first, last = [opening.feed(piece) for piece in pieces]
    assert first in ([], [None])
    assert last == (SECRET, rest)


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\nHost: " + b"x" * 40, b"\x16\x03" * 30])
def test_what_is_no_secret_ends_the_connection(data: bytes) -> None:
    """Such as HTTP."""
    with pytest.raises(NoSecretError):
        Opening().feed(data)


def test_the_end_of_input_is_a_byte() -> None:
    """Only the last one of what was read counts."""
    assert until_end(b"text\x04") == (b"text", True)
    assert until_end(b"te\x04xt") == (b"te\x04xt", False)
    assert until_end(b"") == (b"", False)


@pytest.mark.parametrize("size", [1, 2, 3, 20, 1000])
def test_the_exit_status_goes_in_one_piece(size: int) -> None:
    """However the output was read."""
    output = b"some output\r\n" + MARK + b"\r\n"
    marks, sent = WholeMarks(), []
    for at in range(0, len(output), size):
        sent += marks.feed(output[at : at + size])
    assert b"".join(sent) + marks.rest() == output
    assert any(piece.startswith(MARK) for piece in sent)


def test_an_exit_status_without_a_line_end_is_not_lost() -> None:
    """And a program may print that character for something else."""
    marks = WholeMarks()
    assert marks.feed(MARK) == []
    assert marks.rest() == MARK
    assert marks.feed(b"\xef\xbf\xbf" + b"x" * 300) == [b"\xef\xbf\xbf" + b"x" * 300]
    assert marks.rest() == b""


def test_the_place_of_a_secret_does_not_tell_it() -> None:
    """It is a name for a file."""
    assert place_of(SECRET) == place_of(SECRET) != place_of("t" * 43)
    assert len(place_of(SECRET)) == 32
    assert SECRET[:8] not in place_of(SECRET)
