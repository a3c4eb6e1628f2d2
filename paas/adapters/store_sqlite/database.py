"""One connection to the database for each process: WAL, synchronous=FULL, foreign keys."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from paas.adapters.store_sqlite.schema import MIGRATIONS
from paas.domain.errors import PaasError, disk_full

BUSY_S = 30.0


class Database:
    """Opens on first use, anew after a fork. uids: the range that apps get theirs from."""

    def __init__(self, path: Path, uids: tuple[int, int]) -> None:
        self._path = path
        self._uids = uids
        self._connection: tuple[int, sqlite3.Connection] | None = None

    def _open(self) -> sqlite3.Connection:
        pid = os.getpid()
        if self._connection is None or self._connection[0] != pid:
            # Never opened beside SQLite: to close it would end this process's locks (fcntl(2)).
            with suppress(FileExistsError):
                os.close(os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
            connection = sqlite3.connect(self._path, timeout=BUSY_S, isolation_level=None)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            _migrate(connection)
            self._connection = (pid, connection)
        return self._connection[1]

    def close(self) -> None:
        """Before a fork whose child is to use this: SQLite's own state must not be inherited."""
        if self._connection is not None:
            self._connection[1].close()
            self._connection = None

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that commits at the end and rolls back on an exception."""
        with _transaction(self._open()) as connection:
            yield connection

    def write(self, sql: str, *values: object) -> None:
        """One statement, as a transaction."""
        with self.writing() as connection:
            connection.execute(sql, values)

    def rows(self, sql: str, *values: object) -> list[Any]:
        """All rows of a query."""
        return self._open().execute(sql, values).fetchall()

    def row(self, sql: str, *values: object) -> Any:
        """The first row of a query, or None."""
        return self._open().execute(sql, values).fetchone()


def parse_time(text: str) -> datetime:
    """A time as the tables keep it (ISO 8601)."""
    return datetime.fromisoformat(text)


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield connection
        connection.execute("COMMIT")
    except BaseException as error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        code = getattr(error, "sqlite_errorcode", None)
        if code in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}:
            raise disk_full() from error
        if code == sqlite3.SQLITE_BUSY:
            raise PaasError(
                "state-locked",
                "The server's database is locked by another program, and did not become free "
                f"within {BUSY_S:g} s.",
                "See who has it open, on the server: fuser -v state.db; then try again.",
            ) from error
        raise


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _migrate(connection: sqlite3.Connection) -> None:
    """Bring the schema up to date; a newer one than this program knows is refused."""
    if _version(connection) > len(MIGRATIONS):
        raise PaasError(
            "newer-state",
            f"The database has schema {_version(connection)}; this version of paas knows "
            f"{len(MIGRATIONS)}.",
            "Run the install.sh of the newer version again.",
        )
    if _version(connection) == len(MIGRATIONS):
        return
    with _transaction(connection):
        # Read again: another process may have migrated while this one waited.
        for number in range(_version(connection), len(MIGRATIONS)):
            for statement in MIGRATIONS[number].split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number + 1}")
