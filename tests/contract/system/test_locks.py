"""Locks between processes."""

import fcntl
import json
import os
import signal
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from paas.adapters.system.locks import FlockLocks
from paas.interfaces import ServerLock
from tests.waiting import wait_for


@pytest.fixture
def locks(tmp_path: Path) -> FlockLocks:
    """Locks in a directory that does not exist yet."""
    return FlockLocks(tmp_path / "locks", 64_123)


def in_fork(work: Callable[[], None]) -> int:
    """Run work in a forked process; its pid."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
        finally:
            os._exit(0)
    return pid


@contextmanager
def unexpected(holder: str) -> Iterator[None]:
    """For a lock that is free."""
    raise AssertionError(holder)
    yield


def test_held_and_freed(locks: FlockLocks) -> None:
    """A lock is held inside its block alone, and for its app alone; an error frees it."""
    assert not locks.app_is_held(1)
    with pytest.raises(ZeroDivisionError), locks.app(1, "deploy by alice"):
        assert locks.app_is_held(1)
        assert not locks.app_is_held(2)
        raise ZeroDivisionError
    assert not locks.app_is_held(1)


def test_asking_makes_no_file(locks: FlockLocks, tmp_path: Path) -> None:
    """A boot asks about every app; only what is held has a file."""
    assert not locks.app_is_held(1)
    assert not locks.is_draining(1)
    assert not (tmp_path / "locks").exists()


def test_server_locks_have_the_files_that_former_versions_lock(locks: FlockLocks) -> None:
    """During an upgrade both versions run: each lock keeps its file, and is held alone."""
    files = {
        ServerLock.KEYS: "app-0",
        ServerLock.DRAINS: "app--1",
        ServerLock.ACME: "app--2",
        ServerLock.STORE: "app--3",
        ServerLock.ROUTING: "app--4",
        ServerLock.ARCHIVES: "app--5",
        ServerLock.LOGINS: "app--6",
        ServerLock.NODES: "app--7",
    }
    assert set(files) == set(ServerLock)
    directory = locks.push(1).parent
    for lock, name in files.items():
        with locks.server(lock, "alice adds a key", unexpected):
            assert json.loads((directory / name).read_text())["holder"] == "alice adds a key"
            assert [one for one in ServerLock if locks.server_is_held(one)] == [lock]
        assert not locks.server_is_held(lock)


def test_waiter_learns_the_holder_once(locks: FlockLocks, tmp_path: Path) -> None:
    """A waiter learns once for whom it waits, and gets the lock when it is free."""
    release, told = os.pipe(), tmp_path / "told"

    def hold() -> None:
        with locks.app(1, "deploy by alice"):
            (tmp_path / "held").touch()
            os.read(release[0], 1)

    pid = in_fork(hold)
    wait_for((tmp_path / "held").exists, what="the lock is held")

    @contextmanager
    def waiting(holder: str) -> Iterator[None]:
        with told.open("a") as file:
            file.write(holder + "\n")
        os.write(release[1], b"x")
        yield
        with told.open("a") as file:
            file.write("over\n")

    with locks.app(1, "restart by bob", waiting):
        holders = told.read_text().splitlines()
    assert holders[1:] == ["over"]
    assert holders[0].startswith("deploy by alice, since ")
    assert holders[0].endswith(" UTC")
    os.waitpid(pid, 0)


def test_nobody_waits_for_a_dead_holder(locks: FlockLocks, tmp_path: Path) -> None:
    """kill -9 of the holder frees the lock; its old text deceives no one."""

    def hold() -> None:
        with locks.app(1, "deploy by alice"):
            (tmp_path / "held").touch()
            signal.pause()

    pid = in_fork(hold)
    wait_for((tmp_path / "held").exists, what="the lock is held")
    assert locks.app_is_held(1)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert not locks.app_is_held(1)
    with locks.app(1, "x", unexpected):
        pass


def test_looking_disturbs_nobody(locks: FlockLocks) -> None:
    """Many looks at a lock make no one believe that it has to wait."""
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            locks.app_is_held(1)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        for _ in range(200):
            with locks.app(1, "x", unexpected):
                pass
    finally:
        stop.set()
        thread.join()


def test_one_at_a_time(locks: FlockLocks, tmp_path: Path) -> None:
    """Of many processes, each alone changes what the lock guards."""
    counter = tmp_path / "counter"
    counter.write_text("0")

    def work() -> None:
        for _ in range(25):
            with locks.app(1, "x"):
                counter.write_text(str(int(counter.read_text()) + 1))

    for pid in [in_fork(work) for _ in range(4)]:
        os.waitpid(pid, 0)
    assert counter.read_text() == "100"


def test_several_see_to_the_end_of_instances(locks: FlockLocks, tmp_path: Path) -> None:
    """The mark is there while any process does, and goes with it, killed or not."""

    def retire() -> None:
        with locks.draining(1):
            (tmp_path / "marked").touch()
            signal.pause()

    assert not locks.is_draining(1)
    pid = in_fork(retire)
    wait_for((tmp_path / "marked").exists, what="the mark is there")
    with locks.draining(1), locks.app(1, "x", unexpected):
        assert locks.is_draining(1)
        assert not locks.is_draining(2)
    assert locks.is_draining(1)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert not locks.is_draining(1)


def test_one_process_dumps_a_datastore(locks: FlockLocks) -> None:
    """Another one waits; whether there is one can be seen."""
    assert not locks.is_dumping(1)
    with locks.dumping(1):
        assert locks.is_dumping(1)
        assert not locks.is_dumping(2)
    assert not locks.is_dumping(1)


def test_one_alone_stops_instances(locks: FlockLocks, tmp_path: Path) -> None:
    """Beside whoever holds the app's lock."""
    counter = tmp_path / "counter"
    counter.write_text("0")

    def work() -> None:
        for _ in range(25):
            with locks.stopping(1):
                counter.write_text(str(int(counter.read_text()) + 1))

    with locks.app(1, "x", unexpected):
        for pid in [in_fork(work) for _ in range(4)]:
            os.waitpid(pid, 0)
    assert counter.read_text() == "100"


def test_push_lock_is_for_the_account(locks: FlockLocks) -> None:
    """The account may open the push lock, and nobody can list or open the others."""
    path = locks.push(1)
    assert locks.push(1) == path
    mode = path.stat()
    assert (stat.S_IMODE(mode.st_mode), mode.st_uid, mode.st_gid) == (0o660, 0, 64_123)
    with locks.app(1, "x"):
        assert stat.S_IMODE((path.parent / "app-1").stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o711


def test_idle_push_keeps_pushes_out_unless_one_goes_on(locks: FlockLocks) -> None:
    """While it holds, a push would wait; while a push holds the lock, it says so and waits not."""
    path = locks.push(1)
    with path.open("r+") as push:
        with locks.idle_push(1) as idle:
            assert idle
            with pytest.raises(BlockingIOError):
                fcntl.flock(push, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(push, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with locks.idle_push(1) as idle:
            assert not idle


def test_who_takes_in_code_without_a_push_is_named(locks: FlockLocks) -> None:
    """To pushers, who read the lock's file, and to the next such command; afterwards nobody is."""
    path = locks.push(1)
    path.write_text('{"holder": "alice", "since": "10:00:00 UTC"}')
    with locks.pushing(1, "bob"):
        assert json.loads(path.read_text())["holder"] == "bob"
    assert path.read_text() == ""
    told: list[str] = []

    @contextmanager
    def waiting(holder: str) -> Iterator[None]:
        told.append(holder)
        fcntl.flock(push, fcntl.LOCK_UN)
        yield

    for signed in ('{"holder": "carol", "since": "10:00:00 UTC"}', ""):
        path.write_text(signed)
        with path.open("r+") as push:
            fcntl.flock(push, fcntl.LOCK_EX)
            with locks.pushing(1, "bob", waiting):
                pass
    assert told == ["carol pushes to the app, since 10:00:00 UTC", "a push is running"]
