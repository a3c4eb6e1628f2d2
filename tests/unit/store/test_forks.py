"""A store and os.fork: what a child writes is not lost, whatever its parent had open."""

import gc
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from paas.domain.server.allocations import Ranges
from paas.domain.values.names import AppName
from paas.store import Store
from paas.store.creation import create

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def opened(path: Path) -> Store:
    """A store that is open in this process."""
    store = Store(path, Ranges((70000, 70009)))
    store.apps.all()
    return store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The path of a new store."""
    create(tmp_path / "state.db")
    return tmp_path / "state.db"


@contextmanager
def child(does: Callable[[], object], goes_on: Callable[[], object]) -> Iterator[None]:
    """A forked process: does the first, waits for the end of the block, then does the second."""
    ready, is_ready = os.pipe()
    may_go, go = os.pipe()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            does()
            os.write(is_ready, b".")
            os.read(may_go, 1)
            goes_on()
            status = 0
        finally:
            os._exit(status)
    os.close(is_ready)
    try:
        os.read(ready, 1)
        yield
        os.write(go, b".")
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    finally:
        for fd in (ready, may_go, go):
            os.close(fd)


def test_what_a_child_writes_after_its_parent_is_gone(path: Path) -> None:
    """The server's boot: it becomes supervisord, and its child reconciles."""
    parent = opened(path)
    own: list[Store] = []
    with child(
        lambda: own.append(opened(path)),
        lambda: own[0].apps.add(AppName("jobs"), None, NOW),
    ):
        parent.close()  # the last one that SQLite knows of: it removes the log
    assert [app.name for app in opened(path).apps.all()] == ["jobs"]


def test_what_a_child_writes_with_the_store_of_its_parent(path: Path) -> None:
    """A cron job in the background, whose end is recorded by a fork of the command."""
    store = opened(path)
    with child(lambda: None, lambda: store.apps.add(AppName("jobs"), None, NOW)):
        store.close()
    assert [app.name for app in store.apps.all()] == ["jobs"]


def test_a_store_that_nothing_refers_to_is_closed(path: Path) -> None:
    """At once, and not when the garbage collector comes by: a fork would not know of it."""

    def descriptors() -> list[str]:
        return [str(fd.readlink()) for fd in Path("/proc/self/fd").iterdir() if fd.is_symlink()]

    gc.disable()
    try:
        store = opened(path)
        assert str(path) in descriptors()
        del store
        assert str(path) not in descriptors()
    finally:
        gc.enable()


def test_another_thread_uses_a_store_of_its_own(path: Path) -> None:
    """A fork in one thread could not close a connection that another one is using."""
    store = opened(path)
    with ThreadPoolExecutor(1) as other:
        with pytest.raises(RuntimeError, match="another thread"):
            other.submit(store.apps.all).result()
        assert other.submit(lambda: opened(path).apps.all()).result() == []


def test_a_child_of_a_transaction_uses_no_store(path: Path) -> None:
    """The child could lose what it writes, so it is refused."""
    store = opened(path)

    def refused() -> None:
        with pytest.raises(RuntimeError, match="when this process was forked"):
            opened(path)

    with store.transaction(), child(refused, lambda: None):
        pass
