"""Counting the proxy's log as it grows and is rotated: each request once, nothing read twice."""

from pathlib import Path

import pytest

from paas.adapters.metrics.router_counter import RouterCounter
from paas.domain.metrics.figures import Requests

LINE = (
    '{at}.500 router: method=GET path="{path}" host=shop.example.com status={status} bytes=6 '
    'upstream="127.0.0.1:20001" client=192.0.2.7 connect="0.000" upstream_time="0.003" '
    "service={service} request_id=8b1c\n"
)


def line(at: int, status: int = 200, service: str = "0.003", path: str = "/") -> str:
    """A line as nginx writes it."""
    return LINE.format(at=at, status=status, service=service, path=path)


class Log:
    """The router's log of the app 1, and a counter of it."""

    def __init__(self, logs: Path, turn_bytes: int = 1_000_000) -> None:
        self.file = logs / "1" / "router.log"
        self.file.parent.mkdir()
        self.logs = logs
        self.turn_bytes = turn_bytes
        self.restart()
        self.place = self.counter.start(1)

    def restart(self) -> None:
        """What the counter remembers is lost; the place is kept."""
        self.counter = RouterCounter(self.logs, 3, self.turn_bytes)

    def add(self, text: str, number: int = 0) -> None:
        """To the log, or to one that was rotated."""
        path = self.file.with_name(f"router.log.{number}") if number else self.file
        with path.open("a") as file:
            file.write(text)

    def rotate(self) -> None:
        """As the log process does."""
        for number in (1, 0):
            older = self.file.with_name(f"router.log.{number}") if number else self.file
            if older.exists():
                older.replace(self.file.with_name(f"router.log.{number + 1}"))

    def count(self) -> dict[int, Requests]:
        """What is new."""
        found, self.place = self.counter.count(1, self.place)
        return found

    def total(self, turns: int = 1) -> int:
        """How many requests these turns count."""
        return sum(sum(one.classes) for _ in range(turns) for one in self.count().values())


@pytest.fixture
def log(tmp_path: Path) -> Log:
    """There is no log yet."""
    return Log(tmp_path)


def test_requests_are_counted_by_class_and_latency(log: Log) -> None:
    """Each in the slot in which it ended."""
    log.add(line(1_000, 200) + line(1_009, 404, "0.250") + line(1_010, 503, "31.000"))
    found = log.count()
    assert {at: one.classes for at, one in found.items()} == {
        1_000: [1, 0, 1, 0],
        1_010: [0, 0, 0, 1],
    }
    assert found[1_000].total_ms == 253
    assert found[1_010].latencies[-1] == 1


def test_what_there_was_before_the_first_look_is_not_read(tmp_path: Path) -> None:
    """A server that is upgraded may have megabytes of it."""
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "router.log").write_text(line(1_000) * 10)
    counter = RouterCounter(tmp_path, 3)
    assert counter.count(1, counter.start(1))[0] == {}


def test_nothing_is_counted_twice(log: Log) -> None:
    """Also by another process that goes on from the place."""
    log.add(line(1_000))
    assert log.total() == 1
    assert log.total() == 0
    log.add(line(1_001))
    log.restart()
    assert log.total() == 1


def test_an_unfinished_line_waits_for_its_end(log: Log) -> None:
    """It counts when it is whole."""
    whole = line(1_000)
    log.add(whole[:40])
    assert log.total() == 0
    log.add(whole[40:])
    assert log.total() == 1


def test_a_rotated_file_is_read_to_its_end_first(log: Log) -> None:
    """nginx goes on writing to it until it is told to open the new one."""
    log.add(line(1_000))
    assert log.total() == 1
    log.rotate()
    log.add(line(1_001), number=1)
    log.add(line(1_002))
    assert log.total() == 1
    log.add(line(1_003), number=1)
    assert log.total() == 2
    log.add(line(1_004))
    assert log.total() == 1


def test_several_rotations_since_the_last_look_lose_nothing_that_is_kept(log: Log) -> None:
    """As after a pause of the monitor."""
    log.add(line(1_000))
    assert log.total() == 1
    for at in (1_001, 1_002):
        log.add(line(at))
        log.rotate()
    log.add(line(1_003))
    log.restart()
    assert log.total(turns=3) == 3


def test_a_log_that_is_gone_is_nothing_new(log: Log) -> None:
    """And one that begins anew is read from its beginning."""
    log.add(line(1_000) * 3)
    assert log.total() == 3
    log.file.unlink()
    assert log.total() == 0
    log.add(line(1_001) * 2)
    assert log.total(turns=2) == 2


def test_a_turn_reads_no_more_than_its_share(tmp_path: Path) -> None:
    """The rest follows with the next ones."""
    log = Log(tmp_path, turn_bytes=300_000)
    log.add(line(1_000) * 5_000)
    first = log.total()
    assert 0 < first < 5_000
    assert first + log.total(turns=5) == 5_000


@pytest.mark.parametrize(
    "path",
    [
        "/?q=status=500",
        '/\\" status=500 bytes=1 upstream=\\"x\\" client=1 connect=\\"\\" service=9.000 ',
        "/\\u000A1000.500 router: method=GET",
        "/\\\\",
    ],
)
def test_a_path_cannot_pass_for_other_fields(log: Log, path: str) -> None:
    """What clients send is escaped in the log."""
    log.add(line(1_000, 200, path=path))
    (found,) = log.count().values()
    assert (found.classes, found.total_ms) == ([1, 0, 0, 0], 3)


def test_lines_of_other_forms_are_skipped(log: Log) -> None:
    """Noise, NULs, very long lines, and statuses of no response."""
    noise = "\0\0noise\n" + "x" * 600_000 + "\n" + line(1_000, 0) + line(1_000, 700)
    log.add(noise + line(1_000))
    assert log.total(turns=4) == 1


def test_lines_of_haproxy_are_counted(log: Log) -> None:
    """They lack upstream_time."""
    log.add(line(1_000).replace('upstream_time="0.003" ', ""))
    assert log.total() == 1
