"""The logs as files: written, read from the end, followed."""

import os
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from paas.adapters.logs.app_logs import FileLogs
from paas.adapters.logs.log_files import parse_line
from paas.adapters.system.clock import SystemClock
from paas.domain.logs.loglines import EVERY_LINE, LogFilter
from paas.settings import Settings
from tests.waiting import wait_for

T0 = datetime(2026, 11, 20, 10, 0, 0, tzinfo=UTC)


@pytest.fixture
def logs(tmp_path: Path) -> FileLogs:
    """Logs in a directory of their own."""
    return FileLogs(Settings(state=tmp_path, log_files=3, log_file_mib=1), SystemClock())


def put(path: Path, *lines: tuple[float, str]) -> None:
    """Append lines, each so many seconds after ten o'clock."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        for seconds, text in lines:
            file.write(f"{(T0 + timedelta(seconds=seconds)).isoformat()} {text}\n")


def test_what_the_platform_writes_is_read_again(logs: FileLogs) -> None:
    """A line has its time, source, process and text; it stays one line."""
    before = datetime.now(UTC)
    logs.write(5, "web.1", "State changed from starting to up")
    logs.write(5, "deploy", "two\nlines \x1b[31m, ☃")
    first, second = logs.tail(5, 10)
    assert (first.source, first.process) == ("paas", "web.1")
    assert first.text == "State changed from starting to up"
    assert before <= first.at <= datetime.now(UTC)
    assert second.text == "two\\nlines \\x1b[31m, ☃"


def test_only_the_last_outputs_are_kept(tmp_path: Path) -> None:
    """Of each app, of builds and release commands apart; who pushes all day fills no disk."""
    logs = FileLogs(Settings(state=tmp_path, keep_outputs=2), SystemClock())
    for number in (1, 2, 3):
        logs.open_build(f"5-{number}")(b"x")
        logs.open_release(5, number)(b"x")
        os.utime(tmp_path / f"logs/builds/5-{number}.log", (number, number))
        os.utime(tmp_path / f"logs/releases/5-v{number}.log", (number, number))
    logs.open_build("51-1")(b"another app's")
    kept = sorted(path.name for path in (tmp_path / "logs").rglob("*.log"))
    assert kept == ["5-2.log", "5-3.log", "5-v2.log", "5-v3.log", "51-1.log"]
    assert list(logs.build_output("5-1", lambda: True)) == []
    assert logs.release_output(5, 1) == []


def test_tail_merges_the_files_by_time(logs: FileLogs, tmp_path: Path) -> None:
    """Rotated files and the router's are one log, whose last lines come oldest first."""
    directory = tmp_path / "logs" / "5"
    put(directory / "app.log.2", (1, "app[web.1]: a"))
    put(directory / "app.log.1", (2, "app[web.1]: b"), (4, "paas[web.1]: d"))
    put(directory / "app.log", (6, "app[web.1]: f"))
    put(directory / "router.log.1", (3, 'router: method=GET path="/c"'))
    put(directory / "router.log", (5, 'router: method=GET path="/e"'))
    texts = [line.text for line in logs.tail(5, 100)]
    assert texts == ["a", "b", 'method=GET path="/c"', "d", 'method=GET path="/e"', "f"]
    assert [line.text for line in logs.tail(5, 2)] == texts[-2:]
    assert [line.source for line in logs.tail(5, 2)] == ["router", "app"]
    assert logs.tail(5, 0) == logs.tail(6, 10) == []


def test_tail_reads_only_what_it_needs(logs: FileLogs, tmp_path: Path) -> None:
    """The last lines of a large log are read from its end, unharmed by where the reads fall."""
    path = tmp_path / "logs" / "5" / "app.log"
    put(path, *((n / 1000, f"app[web.1]: {n} " + "ü" * (n % 300)) for n in range(100_000)))
    before = _bytes_read()
    texts = [line.text.split()[0] for line in logs.tail(5, 2_000)]
    assert _bytes_read() - before < path.stat().st_size / 5
    assert texts == [str(n) for n in range(98_000, 100_000)]


def _bytes_read() -> int:
    """By this process so far (rchar of proc(5))."""
    return int(Path("/proc/self/io").read_text().split()[1])


def test_what_is_no_log_line_is_left_out(logs: FileLogs, tmp_path: Path) -> None:
    """A torn line harms nothing."""
    path = tmp_path / "logs" / "5" / "app.log"
    put(path, (1, "app[web.1]: one"))
    with path.open("ab") as file:
        file.write(b"torn \xff\n\n2026-99-99T00:00:00Z app[web.1]: x\n")
    put(path, (2, "app[web.1]: two"))
    assert [line.text for line in logs.tail(5, 10)] == ["one", "two"]


def test_times_are_told_in_utc() -> None:
    """Nginx may write the machine's own zone."""
    line = parse_line(b"2026-11-20T12:00:00+02:00 router: method=GET")
    assert line is not None
    assert (line.at, line.at.tzinfo, line.process) == (T0, UTC, "")


def test_follow_yields_lines_as_they_come(logs: FileLogs, tmp_path: Path) -> None:
    """Only new lines come, also from a file made later and after a rotation, soon and in order."""
    directory = tmp_path / "logs" / "5"
    put(directory / "app.log", (1, "app[web.1]: old"))
    got: list[str] = []
    done = threading.Event()
    lines = logs.follow(5, done.is_set)
    put(directory / "app.log", (2, "app[web.1]: first"))
    thread = threading.Thread(target=lambda: got.extend(line.text for line in lines))
    thread.start()
    try:
        wait_for(lambda: got == ["first"])
        put(directory / "router.log", (3, "router: second"))
        wait_for(lambda: got[1:] == ["second"])
        put(directory / "app.log", (4, "app[web.1]: third"))
        (directory / "app.log").rename(directory / "app.log.1")
        put(directory / "app.log.1", (5, "app[web.1]: fourth"))
        put(directory / "app.log", (6, "app[web.1]: fifth"))
        wait_for(lambda: got[2:] == ["third", "fourth", "fifth"])
        with (directory / "app.log").open("a") as file:
            file.write(f"{T0.isoformat()} app[web.1]: ha")
            file.flush()
            time.sleep(0.15)
            file.write("lf\n")
        wait_for(lambda: got[5:] == ["half"])
    finally:
        done.set()
        thread.join(60)
    assert not thread.is_alive()


def test_instance_tail_is_of_the_newest_start(logs: FileLogs, tmp_path: Path) -> None:
    """The lines of one process since it was last started, or since the start that printed any."""
    path = tmp_path / "logs" / "5" / "app.log"
    start = "paas[web.1]: State changed from crashed to starting"
    put(path, (1, start), (2, "app[web.1]: old"), (3, start), (4, "app[web.1]: a"))
    put(path, (5, "app[worker.1]: other"), (6, "paas[web.1]: told"), (7, "app[web.1]: b"))
    assert logs.instance_tail(5, "web.1", 10) == ["a", "b"]
    assert logs.instance_tail(5, "web.1", 1) == ["b"]
    put(path, (8, start))
    assert logs.instance_tail(5, "web.1", 10) == ["a", "b"]
    assert logs.instance_tail(5, "web.2", 10) == []
    put(path, (9, "paas[web.1]: State changed from down to starting"))
    assert logs.instance_tail(5, "web.1", 10) == []


def test_instance_tail_until_it_ended(logs: FileLogs, tmp_path: Path) -> None:
    """What a process prints once it is restarted does not hide why it ended."""
    path = tmp_path / "logs" / "5" / "app.log"
    start = "paas[web.1]: State changed from %s to starting"
    put(path, (1, start % "down"), (2, "app[web.1]: one"), (3, "app[web.1]: error"))
    assert logs.instance_tail(5, "web.1", 10, ended=True) == ["one", "error"]
    put(path, (4, start % "crashed"))
    assert logs.instance_tail(5, "web.1", 10, ended=True) == ["one", "error"]
    put(path, (5, "app[web.1]: again"), (6, "app[web.1]: and again"))
    assert logs.instance_tail(5, "web.1", 10, ended=True) == ["one", "error"]
    assert logs.instance_tail(5, "web.1", 1, ended=True) == ["error"]
    put(path, (7, start % "down"), (8, start % "crashed"), (9, "app[web.1]: at last"))
    assert logs.instance_tail(5, "web.1", 10, ended=True) == ["at last"]


def test_build_output_is_kept_up_to_a_limit(logs: FileLogs, tmp_path: Path) -> None:
    """Each line is in the build's file at once; a flood of them is cut."""
    append = logs.open_build("b1")
    append(b"-----> Building")
    path = tmp_path / "logs" / "builds" / "b1.log"
    assert path.read_bytes() == b"-----> Building\n"
    for _ in range(1_200):
        append(b"x" * 1_000)
    assert 1_000_000 < path.stat().st_size < 1_100_000
    assert path.read_bytes().endswith(b"(the rest of the output is not kept)\n")


def test_release_output_is_kept_by_release(logs: FileLogs) -> None:
    """What the release command printed, line by line; gone with its app, and only with it."""
    append = logs.open_release(5, 1)
    append(b"one\r")
    append(b"")
    append(b"\xff three")
    logs.open_release(5, 12)(b"other")
    logs.open_release(51, 1)(b"another app's")
    assert logs.release_output(5, 1) == ["one\r", "", "\ufffd three"]
    assert logs.release_output(5, 2) == []
    logs.remove(5)
    assert logs.release_output(5, 1) == logs.release_output(5, 12) == []
    assert logs.release_output(51, 1) == ["another app's"]


def test_build_output(logs: FileLogs) -> None:
    """A build's lines can be read, and go with their app, not with another."""
    for build_id in ("5-1", "51-1"):
        logs.open_build(build_id)(build_id.encode() + b"\xff")
    assert list(logs.build_output("5-1", lambda: True)) == ["5-1\ufffd"]
    assert list(logs.build_output("5-2", lambda: True)) == []
    logs.remove(5)
    assert list(logs.build_output("5-1", lambda: True)) == []
    assert list(logs.build_output("51-1", lambda: True)) == ["51-1\ufffd"]


def test_remove_forgets_an_app(logs: FileLogs) -> None:
    """An app's logs can be removed, twice."""
    logs.write(5, "web.1", "x")
    logs.remove(5)
    logs.remove(5)
    assert logs.tail(5, 10) == []


def test_a_stream_continues_behind_any_line(logs: FileLogs, tmp_path: Path) -> None:
    """None twice and none missed, in first and new lines of both files, after rotations."""
    app, router = (tmp_path / "logs/5" / name for name in ("app.log", "router.log"))
    put(app, *((n, f"app[web.1]: old {n}") for n in range(4)))
    put(router, (2.5, "router: at=info"))
    texts = ["old 1", "old 2", "at=info", "old 3", "new 0", "late", "new 1"]
    follow = logs.resumable(5, lambda: False, EVERY_LINE, 4, "")
    rows = [next(follow) for _ in range(4)]
    put(app, (10, "app[web.1]: new 0"), (5, "app[web.1]: late"))
    rows += [next(follow) for _ in range(2)]
    app.rename(app.with_name("app.log.1"))
    put(app, (11, "app[web.1]: new 1"))
    rows.append(next(follow))
    assert [line.text for _, line in rows] == texts

    app.with_name("app.log.1").rename(app.with_name("app.log.2"))
    app.rename(app.with_name("app.log.1"))
    put(app, (12, "app[web.1]: newest"))
    texts.append("newest")
    for number, (mark, _) in enumerate(rows, 1):
        rest = logs.resumable(5, lambda: False, EVERY_LINE, 4, mark)
        assert [next(rest)[1].text for _ in texts[number:]] == texts[number:]


def test_a_mark_of_files_that_are_gone_begins_with_what_is_left(
    logs: FileLogs, tmp_path: Path
) -> None:
    """All of it is newer. What is no mark begins anew."""
    put(tmp_path / "logs/5/app.log.1", (0, "app[web.1]: a"))
    put(tmp_path / "logs/5/app.log", (1, "app[web.1]: b"))
    wanted = LogFilter(source="app")
    follow = logs.resumable(5, lambda: False, EVERY_LINE, 9, "0-1.7-0.0")
    assert [next(follow)[1].text for _ in range(2)] == ["a", "b"]
    for text in ("", "x", "0-1.7", "0-1.7-1.7-1.7", "9" * 30 + "-1.1-1.1"):
        again = logs.resumable(5, lambda: True, wanted, 1, text if text.count("-") != 1 else "")
        assert [line.text for _, line in again] == ["b"]
