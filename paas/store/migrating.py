"""Bringing a database's schema up to date, and asking which store it is."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

from paas.domain.values.errors import PaasError
from paas.store import faults
from paas.store.mark import Mark
from paas.store.schema import MIGRATIONS


def version(connection: sqlite3.Connection) -> int:
    """The number of migrations it has had."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def needs_migration(connection: sqlite3.Connection, path: Path) -> bool:
    """Raises PaasError if it is not a store, or newer than this program knows."""
    present = version(connection)
    if present == 0:
        raise faults.missing(path)
    if present > len(MIGRATIONS):
        raise PaasError(
            "newer-state",
            f"The database has schema {present}; this version of paas knows {len(MIGRATIONS)}.",
            "Run the install.sh of the newer version again.",
        )
    return present < len(MIGRATIONS)


def migrate(connection: sqlite3.Connection, before: Callable[[int], None]) -> None:
    """All migrations that it has not had, as one transaction.

    before: called with its current number when nothing else migrates it; to keep a copy.
    """
    try:
        connection.execute("BEGIN IMMEDIATE")
        # Read again: another process may have migrated while this one waited.
        first = version(connection)
        if first < len(MIGRATIONS):
            before(first)
        for number in range(first, len(MIGRATIONS)):
            for statement in MIGRATIONS[number].split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number + 1}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def identity(connection: sqlite3.Connection) -> Mark | None:
    """Which store it is, and its changes; None if it is from before there was an identity."""
    known = connection.execute(
        "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'identity'"
    ).fetchone()
    row = connection.execute("SELECT id, changes FROM identity").fetchone() if known else None
    if row is None:
        return None
    id, changes = row
    return Mark(str(id), int(changes))
