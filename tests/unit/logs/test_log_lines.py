"""What becomes of the bytes that a process prints."""

import pytest

from paas.entrypoints.logd.files import utc
from paas.entrypoints.logd.lines import (
    LINE_MAX_BYTES,
    Bucket,
    Splitter,
    render,
    safe,
    stamp,
    tag,
)


def test_stamp_is_utc_with_microseconds() -> None:
    """A time is written as the log's form asks, in UTC."""
    assert stamp(1_795_170_030_000_042, utc) == b"2026-11-20T10:20:30.000042+00:00"


@pytest.mark.parametrize(
    ("printed", "written"),
    [
        (b"plain\ttab\n", b"plain\ttab\n"),
        (b"\x1b[31mred\x1b[0m\n", b"\\x1b[31mred\\x1b[0m\n"),
        (b"a\r\nb\rc\n", b"a\nb\\x0dc\n"),
        (b"nul \0 del \x7f\n", b"nul \\x00 del \\x7f\n"),
        ("grüße ☃\n".encode(), "grüße ☃\n".encode()),
        (b"\xff\xfe latin\n", b"\\xff\\xfe latin\n"),
        ("csi \x9b31m\n".encode(), b"csi \\x9b31m\n"),
        (
            "line\u2028 turned \u202e and \u2066\n".encode(),
            rb"line\u2028 turned \u202e and \u2066" b"\n",
        ),
        ("quoted “…”\n".encode(), "quoted “…”\n".encode()),
        (b"\n\n", b"\n\n"),
    ],
)
def test_control_characters_are_escaped(printed: bytes, written: bytes) -> None:
    """Nothing that a terminal would obey, and only UTF-8, gets into the file."""
    assert safe(printed) == written


def test_each_line_gets_the_prefix() -> None:
    """A forged tag stays text after the real one."""
    assert render(b"one\npaas[web.1]: two\n\n", b"> ") == b"> one\n> paas[web.1]: two\n> \n"


def test_unfinished_lines_are_kept_until_they_end() -> None:
    """A line may come in any number of reads."""
    splitter = Splitter()
    assert splitter.feed(b"one\ntw", b"1 ") == b"1 one\n"
    assert splitter.feed(b"o", b"2 ") == b""
    assert splitter.feed(b"\nth", b"3 ") == b"3 two\n"
    assert splitter.flush(b"4 ") == b"4 th\n"
    assert splitter.flush(b"5 ") == b""


@pytest.mark.parametrize("read", [1_000_000, 262_144, 65_537, 9_999])
def test_long_lines_are_split(read: int) -> None:
    """A line of megabytes becomes lines of 64 KiB, whatever the reads, with nothing lost."""
    line = "x☃".encode() * 250_000
    splitter, out = Splitter(), b""
    for start in range(0, len(line), read):
        out += splitter.feed(line[start : start + read], b"> ")
    out += splitter.feed(b"\n", b"> ")
    pieces = [piece.removeprefix(b"> ") for piece in out.splitlines()]
    assert b"".join(pieces) == line
    assert max(map(len, pieces)) <= LINE_MAX_BYTES
    assert len(pieces) == 16


def test_dropped_lines_are_counted_once_each() -> None:
    """Whole lines are dropped, also those that reach over several reads."""
    splitter = Splitter()
    splitter.feed(b"kept\nhead", b"")
    dropped = [splitter.drop(data, len(data)) for data in (b" tail\nx\ny", b"y", b"y\nz\n", b"w")]
    assert dropped == [3, 0, 1, 1]
    assert splitter.feed(b"ww\nagain\n", b"> ") == b"> again\n"


def test_bucket_lets_a_burst_pass_and_then_the_rate() -> None:
    """After the burst, as many bytes pass as the rate gives."""
    bucket = Bucket(10, 50, 0.0)
    assert [bucket.take(25, 0.0) for _ in range(3)] == [True, True, False]
    assert not bucket.take(11, 1.0)
    assert bucket.take(20, 2.0)
    assert not bucket.take(60, 1000.0)


def test_a_line_has_its_release() -> None:
    """From the id of the instance; what is none has none."""
    assert tag("web.1", "12-v5-9-web.1.fifo") == b"[web.1] v5"
    assert (
        tag("run.1", "12-run.1.fifo") == tag("run.1", "x") == tag("run.1", "1-vx-2") == b"[run.1]"
    )
