"""One connection to the database for each process: WAL, synchronous=FULL, foreign keys."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from paas.domain.values.errors import PaasError, StoreOlderError
from paas.store import faults, forks, seals
from paas.store.copies import Copies
from paas.store.mark import Mark, MarkFile
from paas.store.migrating import identity, migrate, needs_migration
from paas.store.server_keys import ServerKeys

BUSY_S = 30.0
CHECKPOINT_AGAIN_S = 0.05
# As large as SQLite lets the write-ahead log become by default: 1,000 pages.
WAL_MAX_BYTES = 1000 * 4096


@dataclass(frozen=True, slots=True)
class _Open:
    """A connection, the thread that opened it, and its file.

    older: why nothing can be written to it, if the file is an older copy.
    """

    thread: int
    file: tuple[int, int]
    connection: sqlite3.Connection
    older: PaasError | None


class Database:
    """Opens on first use, again after a fork (see forks.py), and if the file was replaced.

    It never creates the file (creation.py does). keys: see Store.
    """

    def __init__(self, path: Path, keys: ServerKeys | None = None) -> None:
        self._opened: _Open | None = None
        self.path = path
        self.keys = keys
        self._mark = MarkFile(path)
        self._reads_older = False
        self._is_writing = False
        forks.watch(self)

    def read_older(self) -> PaasError | None:
        """Have this read, but never write, an older copy: see Store."""
        self._reads_older = True
        return self._open().older

    def _open(self) -> _Open:
        forks.refuse_inherited()
        opened = self._opened
        if opened is not None and opened.thread != threading.get_ident():
            raise RuntimeError("another thread opened this connection to the database")
        if opened is not None and opened.connection.in_transaction:
            return opened
        file = self._file()
        if opened is None or opened.file != file:
            self.close()
            self._opened = opened = _Open(threading.get_ident(), file, *self._connect())
        return opened

    def _file(self) -> tuple[int, int]:
        """Which file it is. Raises PaasError if there is none, or nothing in it."""
        try:
            # Never opened in addition to SQLite: closing it would drop this process's locks
            # (fcntl(2)).
            found = self.path.stat()
        except FileNotFoundError as error:
            raise faults.missing(self.path) from error
        if found.st_size == 0:
            raise faults.missing(self.path)
        return found.st_dev, found.st_ino

    def _connect(self) -> tuple[sqlite3.Connection, PaasError | None]:
        """Raises PaasError if the file is not this server's store in its last state."""
        if damage := faults.known_damage(self.path):
            raise faults.damaged(self.path, damage)
        with faults.translated(self.path, BUSY_S):
            uri = f"{self.path.absolute().as_uri()}?mode=rw"
            # `_open` refuses other threads; closing it is for any of them.
            connection = sqlite3.connect(
                uri, uri=True, timeout=BUSY_S, isolation_level=None, check_same_thread=False
            )
            connection.row_factory = sqlite3.Row
            try:
                return connection, self._settle(connection)
            except BaseException:
                connection.close()
                raise

    def _settle(self, connection: sqlite3.Connection) -> PaasError | None:
        """Prepare it; returns why it can only be read, or None."""
        mark = self._mark.read()
        migrating = needs_migration(connection, self.path)
        if fault := faults.fault(self.path, identity(connection), mark):
            if not self._reads_older or migrating or not isinstance(fault, StoreOlderError):
                raise fault
            connection.execute("PRAGMA query_only = ON")
            return fault
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA wal_autocheckpoint = 0")  # see _checkpoint
        connection.execute("PRAGMA foreign_keys = ON")
        if migrating:
            migrate(connection, lambda number: Copies(self.path).before_migration(number))
        if self.keys is not None:
            seals.check_key(connection, self.keys)
        present = identity(connection)
        if mark is None and present is not None:
            self._mark.write(present)
        return None

    def settle_mark(self) -> None:
        """Update the mark to the store and sync it; it may be a change or two behind."""
        with faults.translated(self.path, BUSY_S):
            present = identity(self._open().connection)
        mark = self._mark.read()
        if present is not None and (mark is None or mark.changes < present.changes):
            self._mark.note(present)
        self._mark.sync()

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        if self._opened is not None:
            self._opened.connection.close()
            self._opened = None

    def __del__(self) -> None:
        """Close the file when nothing refers to this any longer.

        Not left to the connection, which is in a cycle with its cache of statements: until the
        garbage collector comes by it is open, and a fork does not know of it.
        """
        self.close()

    def close_before_fork(self) -> bool:
        """See forks.Forkable. Impossible in a transaction, or in a thread that did not open it."""
        opened = self._opened
        if opened is None:
            return True
        if opened.thread != threading.get_ident() or opened.connection.in_transaction:
            return False
        self.close()
        return True

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction, or a part of the one that is open: all or nothing in both cases."""
        opened = self._open()
        if opened.older is not None:
            raise opened.older
        scope = self._part if self._is_writing else self._whole
        with faults.translated(self.path, BUSY_S), scope(opened.connection):
            yield opened.connection

    @contextmanager
    def _whole(self, connection: sqlite3.Connection) -> Iterator[None]:
        """From BEGIN to COMMIT. However much is written, it is one change to the mark."""
        mark = None
        try:
            connection.execute("BEGIN IMMEDIATE")
            self._is_writing = True
            before = connection.total_changes
            yield
            _refuse_ended(connection)
            if connection.total_changes != before:
                row = connection.execute(
                    "UPDATE identity SET changes = changes + 1 RETURNING id, changes"
                ).fetchone()
                mark = Mark(row["id"], row["changes"])
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        finally:
            self._is_writing = False
        if mark is not None:
            self._mark.note(mark)
        if self._wal_bytes() > WAL_MAX_BYTES:
            self._checkpoint(connection)

    def _wal_bytes(self) -> int:
        try:
            return self.path.with_name(f"{self.path.name}-wal").stat().st_size
        except FileNotFoundError:
            return 0

    def _checkpoint(self, connection: sqlite3.Connection) -> bool:
        """Empty the write-ahead log into the database; False if another process does it.

        TRUNCATE keeps writers out meanwhile. The checkpoints that SQLite makes by itself do not:
        before 3.51.3 such a one can lose what another process commits at that moment
        (https://sqlite.org/wal.html#walresetbug).
        """
        return not connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]

    @contextmanager
    def _part(self, connection: sqlite3.Connection) -> Iterator[None]:
        """A savepoint, so that a caller who catches an error is left without half a change."""
        _refuse_ended(connection)
        connection.execute("SAVEPOINT part")
        try:
            yield
            _refuse_ended(connection)
            connection.execute("RELEASE part")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK TO part")
                connection.execute("RELEASE part")
            raise

    def rewrite(self) -> None:
        """Rewrite the file (VACUUM), so that no former values are left in it.

        Raises PaasError if another process reads the old file for too long; then call it again.
        """
        with faults.translated(self.path, BUSY_S):
            connection = self._open().connection
            connection.execute("VACUUM")
            # SQLite does not wait for another process that does this at the same time.
            deadline = time.monotonic() + BUSY_S
            while not self._checkpoint(connection):
                if time.monotonic() >= deadline:
                    raise faults.locked(BUSY_S)
                time.sleep(CHECKPOINT_AGAIN_S)

    def write(self, sql: str, *values: object) -> None:
        """One statement, as a transaction or a part of the one that is open."""
        with self.writing() as connection:
            connection.execute(sql, values)

    def rows(self, sql: str, *values: object) -> list[sqlite3.Row]:
        """All rows of a query, whose columns are read by name."""
        with faults.translated(self.path, BUSY_S):
            return self._open().connection.execute(sql, values).fetchall()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection for reading several things."""
        with faults.translated(self.path, BUSY_S):
            yield self._open().connection

    def row(self, sql: str, *values: object) -> sqlite3.Row | None:
        """The first row of a query, or None."""
        with faults.translated(self.path, BUSY_S):
            found: sqlite3.Row | None = self._open().connection.execute(sql, values).fetchone()
        return found


class Table:
    """The part of the store for one noun."""

    def __init__(self, database: Database) -> None:
        self._database = database


def _refuse_ended(connection: sqlite3.Connection) -> None:
    """Raises if SQLite itself rolled the transaction back, as it may when the disk is full.

    What is written after that would be a separate transaction, without what came before.
    """
    if not connection.in_transaction:
        raise RuntimeError("SQLite has rolled the transaction back; its error was caught too early")


def parse_time(text: str) -> datetime:
    """A time as the tables store it (ISO 8601)."""
    return datetime.fromisoformat(text)
