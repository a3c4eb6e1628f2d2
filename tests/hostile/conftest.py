"""Fixtures: the shared server of tests/e2e with two apps, and a check that nothing has changed."""

import fcntl
import hashlib
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from paas.adapters.system.flocks import is_held
from tests.e2e.conftest import alice, bob, names_of_its_own, neighbour, probe, server
from tests.e2e.probe import App
from tests.e2e.server import Server
from tests.waiting import wait_for

__all__ = ["alice", "bob", "names_of_its_own", "neighbour", "probe", "server"]
Unchanged = Callable[[], AbstractContextManager[None]]
TABLES = ("apps", "releases", "slugs", "instances", "domains", "users", "keys")
# Directories of the server, without logs, caches and the files of the database.
PLACES = ("etc", "var/slugs", "var/builds", "run/specs", "run/programs")


@pytest.fixture
def unchanged(server: Server, neighbour: App) -> Unchanged:
    """Checks that the block leaves the server's data, files and instances as they were."""

    @contextmanager
    def compared() -> Iterator[None]:
        wait_for(lambda: is_idle(server), what="the end of former changes")
        before, boot = state_of(server), neighbour.boot()
        assert boot
        yield
        after = state_of(server)
        assert {k: v for k, v in after.items() if before.get(k) != v} == {}
        assert before.keys() == after.keys()
        assert neighbour.boot() == boot

    return compared


def is_idle(server: Server) -> bool:
    """Whether nobody changes an app, or clears up after a change that was answered."""
    for path in (server.run / "locks").iterdir():
        if re.match(r"(app|push|retire|stop)-\d", path.name):
            with path.open() as lock:
                if is_held(lock.fileno(), fcntl.LOCK_EX):
                    return False
    return True


def state_of(server: Server) -> dict[str, object]:
    """The rows of the database and the files of the server, by name."""
    found: dict[str, object] = {}
    with sqlite3.connect(f"file:{server.state}/state.db?mode=ro", uri=True) as database:
        there = {name for (name,) in database.execute("SELECT name FROM sqlite_schema")}
        for table in sorted(there.intersection(TABLES)):
            found[table] = database.execute(f"SELECT * FROM {table}").fetchall()
    database.close()
    for place in PLACES:
        for path in sorted((server.root / place).rglob("*")):
            found[str(path)] = _content(path)
    return found


def _content(path: Path) -> tuple[int, str]:
    mode = path.lstat().st_mode
    if path.is_symlink() or not path.is_file():
        return mode, ""
    return mode, hashlib.sha256(path.read_bytes()).hexdigest()
