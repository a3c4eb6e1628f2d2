"""The database file and its locks, with other processes about."""

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from paas.domain.server.allocations import Ranges
from paas.domain.values.errors import PaasError
from paas.domain.values.names import AppName
from paas.store import Store
from paas.store.creation import create
from paas.store.database import Database

NOW = datetime(2026, 1, 1, tzinfo=UTC)
RENAME = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("UPDATE apps SET name = 'tasks'")
database.close()
"""


def stores(path: Path) -> tuple[Store, Store]:
    """Two of one process, both open."""
    pair = Store(path, Ranges((70000, 70009))), Store(path, Ranges((70000, 70009)))
    for store in pair:
        store.apps.all()
    return pair


def test_two_stores_of_one_process(tmp_path: Path) -> None:
    """Opening the second drops no lock of the first, on which another process's close relies.

    POSIX locks end with any descriptor of the file that the process closes (fcntl(2)); without
    them the other would take itself for the last, and delete the log that this one writes to.
    """
    path = tmp_path / "state.db"
    create(path)
    first, second = stores(path)
    app = first.apps.add(AppName("jobs"), None, NOW)
    log = path.with_name("state.db-wal")
    before = log.stat().st_ino
    subprocess.run([sys.executable, "-c", RENAME, str(path)], check=True)
    assert log.stat().st_ino == before
    second.maintenance.set(app.id, True)
    for store in (first, second, *stores(path)):
        assert [known.name for known in store.apps.all()] == ["tasks"]
        assert store.maintenance.is_on(app.id)


def test_a_database_that_another_program_keeps_locked(tmp_path: Path) -> None:
    """Said as what it is, not as a fault of ours; it works again when that has ended."""
    path = tmp_path / "state.db"
    create(path)
    store = Store(path, Ranges((70000, 70009)))
    with store.database.writing() as connection:
        connection.execute("PRAGMA busy_timeout = 10")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(PaasError) as caught:
            store.apps.add(AppName("jobs"), None, NOW)
        assert caught.value.reference == "state-locked"
    store.apps.add(AppName("jobs"), None, NOW)


def test_closed_and_opened_again(tmp_path: Path) -> None:
    """A closed store opens again; nothing is lost."""
    create(tmp_path / "state.db")
    store = Store(tmp_path / "state.db", Ranges((70000, 70009)))
    store.apps.add(AppName("jobs"), None, NOW)
    store.close()
    store.close()
    assert [app.name for app in store.apps.all()] == ["jobs"]
    assert (tmp_path / "state.db").stat().st_mode & 0o777 == 0o600


def test_nobody_has_to_switch_a_new_store_to_its_log(tmp_path: Path) -> None:
    """Otherwise two processes that open it first at the same time would obstruct each other."""
    path = tmp_path / "state.db"
    create(path)
    assert path.read_bytes()[18:20] == b"\2\2"  # WAL (https://sqlite.org/fileformat.html)


def test_two_that_rewrite_it_at_once(tmp_path: Path) -> None:
    """An installation and the server that it started: each waits for the other."""
    path = tmp_path / "state.db"
    create(path)

    def rewrite() -> None:
        database = Database(path)
        database.rewrite()
        database.close()

    with (
        closing(sqlite3.connect(path, isolation_level=None)) as reader,
        ThreadPoolExecutor() as pool,
    ):
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM identity").fetchall()
        rewriting = [pool.submit(rewrite) for _ in range(2)]
        wait(rewriting, timeout=1.0)  # in case one does not wait
        reader.execute("COMMIT")
        for done in rewriting:
            done.result()
