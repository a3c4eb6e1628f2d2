"""The write-ahead log is emptied by us alone, while no other process can write."""

from pathlib import Path

import pytest

from paas.store import database as databases
from paas.store.creation import create
from paas.store.database import Database


@pytest.fixture
def database(tmp_path: Path) -> Database:
    """An open one."""
    create(tmp_path / "state.db")
    opened = Database(tmp_path / "state.db")
    opened.write("CREATE TABLE filler (text TEXT)")
    return opened


def test_sqlite_makes_none_by_itself(database: Database) -> None:
    """Its own let others write meanwhile."""
    row = database.row("PRAGMA wal_autocheckpoint")
    assert row is not None
    assert row[0] == 0


def test_a_large_log_is_emptied(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the change that makes it too large; a reader elsewhere finds all of it."""
    log = database.path.with_name("state.db-wal")
    monkeypatch.setattr(databases, "BUSY_S", 0.1)
    monkeypatch.setattr(databases, "WAL_MAX_BYTES", 100_000)
    sizes = []
    for _ in range(60):
        database.write("INSERT INTO filler VALUES (?)", "x" * 5_000)
        sizes.append(log.stat().st_size)
    assert max(sizes) < 200_000
    assert 0 in sizes
    (row,) = Database(database.path).rows("SELECT count(*) FROM filler")
    assert row[0] == 60
