"""What an instance on a node prints gets into the app's log, each line once."""

import os
import socket
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from paas.adapters.cluster.service_logs import ServiceLogs, TaskLine
from paas.entrypoints.daemons.output_following import Follower

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n"
Line = tuple[bytes, bytes, bytes]


def stamp(number: int) -> bytes:
    """The time of the line of that number."""
    return b"2026-11-30T01:55:31.%09dZ" % number


def frame(number: int, text: str, *, task: str = "t1", kind: int = 1) -> bytes:
    """As Docker sends a line. kind: 1 and 2 for what was printed, 3 for an error."""
    details = f"com.docker.swarm.node.id=n,com.docker.swarm.task.id={task}"
    content = b" ".join((stamp(number), details.encode(), text.encode()))
    return bytes((kind, 0, 0, 0)) + len(content).to_bytes(4, "big") + content


class Manager:
    """Answers one request with what it is given; keeps the connection then, unless it is over."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self.asked: list[bytes] = []
        self.kept: list[socket.socket] = []

    def answer(self, *frames: bytes, ends: bool = False, head: bytes = HEAD) -> None:
        """To the next request."""

        def serve() -> None:
            connection, _ = self._listener.accept()
            self.asked.append(connection.recv(4_096).partition(b"\r\n")[0])
            connection.sendall(head + b"".join(frames))
            if ends:
                connection.close()
            else:
                self.kept.append(connection)

        threading.Thread(target=serve, daemon=True).start()

    def close(self) -> None:
        for one in (self._listener, *self.kept):
            one.close()


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    """It listens."""
    made = Manager(tmp_path / "manager.sock")
    yield made
    made.close()


def printed(manager: Manager, since: bytes = b"") -> list[str]:
    """All that is streamed until nothing comes."""
    logs = ServiceLogs(manager.path, "service1", idle_limit_s=0.2)
    return [line.text.decode() for line in logs.lines(since)]


def test_lines_are_read_as_they_come(manager: Manager) -> None:
    """With task and time; it ends after a time without any."""
    manager.answer(frame(1, "one\n"), frame(2, "two\n", task="t2", kind=2))
    logs = ServiceLogs(manager.path, "service1", idle_limit_s=0.2)
    assert list(logs.lines(b"")) == [
        TaskLine(b"t1", stamp(1), b"one\n"),
        TaskLine(b"t2", stamp(2), b"two\n"),
    ]
    assert b"/services/service1/logs?follow=1" in manager.asked[0]
    assert b"since" not in manager.asked[0]


def test_it_is_asked_from_a_time_on(manager: Manager) -> None:
    """To the nanosecond."""
    manager.answer()
    assert printed(manager, stamp(42)) == []
    assert b"&since=1796003731.000000042 " in manager.asked[0]


def test_what_comes_again_is_left_out(manager: Manager) -> None:
    """A node sends all again when it is back. Parts of a long line have one time."""
    lines = [frame(1, "one\n"), frame(2, "long "), frame(2, "line\n"), frame(1, "error\n", kind=2)]
    manager.answer(*lines, *lines, frame(3, "three\n"))
    assert printed(manager) == ["one\n", "long ", "line\n", "error\n", "three\n"]


def test_one_task_does_not_hide_another(manager: Manager) -> None:
    """Their lines may come in any order."""
    manager.answer(frame(5, "new\n", task="t2"), frame(4, "old\n", task="t1"))
    assert printed(manager) == ["new\n", "old\n"]


@pytest.mark.parametrize(
    ("answer", "head"),
    [
        ([frame(1, "one\n"), frame(2, "two\n")[:20]], HEAD),
        ([frame(1, "one\n"), frame(0, "no such node", kind=3)], HEAD),
        ([], b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
        ([], b"nonsense\r\n\r\n"),
    ],
)
def test_a_stream_that_breaks_off_is_an_error(
    manager: Manager, answer: Sequence[bytes], head: bytes
) -> None:
    """Also one that there is not."""
    manager.answer(*answer, ends=True, head=head)
    with pytest.raises(OSError, match=r"."):
        printed(manager)


def test_a_manager_that_is_down_is_an_error(tmp_path: Path) -> None:
    """Nothing listens there."""
    with pytest.raises(OSError, match=r"."):
        list(ServiceLogs(tmp_path / "none.sock", "service1").lines(b""))


def test_a_stream_is_ended_from_another_thread(manager: Manager) -> None:
    """Whoever waits for the next line gets an error."""
    manager.answer(frame(1, "one\n"))
    logs = ServiceLogs(manager.path, "service1")
    lines = logs.lines(b"")
    assert next(lines).text == b"one\n"
    threading.Timer(0.05, logs.close).start()
    with pytest.raises(OSError, match="ended"):
        next(lines)
    logs.close()  # it is over already


class Lines:
    """A `Source`: gives each of its lists in turn, and is over then. None: it breaks off."""

    def __init__(self, *turns: Sequence[Line | None]) -> None:
        self._turns = [*turns]
        self.asked: list[bytes] = []

    def is_kept(self) -> bool:
        return bool(self._turns)

    def lines(self, since: bytes) -> Iterator[Line]:
        self.asked.append(since)
        for one in self._turns.pop(0):
            if one is None:
                raise OSError("broken")
            yield one


def line(number: int, task: str = "t1") -> Line:
    """The line of that number."""
    return (task.encode(), stamp(number), b"%d\n" % number)


class Followed:
    """An app's log, and how far it is."""

    def __init__(self, folder: Path) -> None:
        self.fifo, self.note = folder / "fifo", folder / "read/1-v1-1-web.1"
        os.mkfifo(self.fifo)
        self.log = os.open(self.fifo, os.O_RDWR | os.O_NONBLOCK)

    def follow(self, source: Lines, ended: threading.Event | None = None) -> str:
        """Until the source is over; returns what came."""
        Follower(source, self.fifo, self.note, ended or threading.Event()).run()
        try:
            return os.read(self.log, 65_536).decode()
        except BlockingIOError:
            return ""

    def stop_after(self, source: Lines) -> str:
        """The process ends during the first turn of the source: what it has is kept."""
        ended = threading.Event()
        real = source.lines

        def lines(since: bytes) -> Iterator[Line]:
            yield from real(since)
            ended.set()

        source.lines = lines  # type: ignore[method-assign]
        return self.follow(source, ended)


@pytest.fixture
def followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Followed:
    """Nothing was read yet."""
    monkeypatch.setattr("paas.entrypoints.daemons.output_following.AGAIN_S", 0.0)
    return Followed(tmp_path)


def test_each_line_comes_once(followed: Followed) -> None:
    """Though the source begins a little before, and breaks off."""
    source = Lines([line(1), line(2), None], [line(2), line(3)])
    assert followed.follow(source) == "1\n2\n3\n"
    assert source.asked == [b"", stamp(2)]
    assert not followed.note.exists()


def test_the_next_process_continues(followed: Followed) -> None:
    """Where the former one was; the instance has started again meanwhile."""
    assert followed.stop_after(Lines([line(1), line(2)], [])) == "1\n2\n"
    source = Lines([line(2), line(5, "t2"), line(3), line(6, "t2")])
    assert followed.follow(source) == "5\n3\n6\n"
    assert source.asked == [stamp(2)]


def test_former_tasks_are_read_to_their_ends(followed: Followed) -> None:
    """What breaks off may leave lines of one behind another's."""
    source = Lines([line(1), line(5, "t2"), None], [line(2), line(5, "t2")])
    assert followed.follow(source) == "1\n5\n2\n"
    assert source.asked == [b"", stamp(1)]


def test_nothing_is_read_twice_of_what_is_over(followed: Followed) -> None:
    """When all was passed on, only the last task counts; else it would be read from afar."""
    source = Lines([line(1), line(5, "t2")], [line(6, "t2")], [])
    assert followed.follow(source) == "1\n5\n6\n"
    assert source.asked == [b"", stamp(5), stamp(6)]


def test_a_note_of_a_former_version_counts(followed: Followed) -> None:
    """It had a time alone."""
    followed.note.parent.mkdir()
    followed.note.write_bytes(stamp(2).ljust(40))
    source = Lines([(b"", stamp(2), b"2\n"), (b"", stamp(3), b"3\n")])
    assert followed.follow(source) == "3\n"
    assert source.asked == [stamp(2)]
