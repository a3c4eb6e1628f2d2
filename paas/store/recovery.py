"""Whether the store can be used, and putting one back: `StoreRecovery` of interfaces."""

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from paas.adapters.system import files
from paas.domain.server.trash import Access, StoreCopy
from paas.domain.values.errors import PaasError, StoreFaultError
from paas.store import faults, migrating, seals
from paas.store.copies import Copies, whole
from paas.store.creation import clear
from paas.store.database import BUSY_S
from paas.store.mark import Mark, MarkFile
from paas.store.server_keys import ServerKeys

# An id from the lost store must not be reused: its files may still exist.
_IDS_AHEAD = 1_000
_COUNTED = ("apps", "generations", "storage")
# Fewer: after as many as the range has, the uids of the lost store's newest apps would come next.
_UIDS_AHEAD = 500


class DatabaseRecovery:
    """The store of one server, from outside. keys: what its secrets are sealed with."""

    def __init__(self, path: Path, keys: ServerKeys | None = None) -> None:
        self._path = path
        self._keys = keys
        self._mark = MarkFile(path)
        self._copies = Copies(path, keys)

    def fault(self) -> PaasError | None:
        """What is wrong with it, by a complete check (SQLite's quick_check); None: nothing.

        The result is stored next to it, so that every command knows.
        """
        mark = self._mark.read()  # first: what changes meanwhile is no older copy
        try:
            present = self._checked()
            if (fault := faults.fault(self._path, present, mark)) is None:
                self._check_key()
        except StoreFaultError as error:
            return error
        return fault

    def _check_key(self) -> None:
        """Raises StoreFaultError if the server's key does not open its secrets."""
        if self._keys is not None:
            with (
                faults.translated(self._path, BUSY_S),
                closing(self._connect(self._path)) as connection,
            ):
                seals.check_key(connection, self._keys)

    def _checked(self) -> Mark | None:
        """Its identity. Raises PaasError if it is missing or damaged."""
        if not self._path.exists() or self._path.stat().st_size == 0:
            raise faults.missing(self._path)
        with (
            faults.translated(self._path, BUSY_S),
            closing(self._connect(self._path)) as connection,
        ):
            migrating.needs_migration(connection, self._path)
            why = whole(connection)
            present = migrating.identity(connection)
        if why is not None:
            files.write_atomic(faults.damage_file(self._path), why, mode=0o600)
            raise faults.damaged(self._path, why)
        files.remove(faults.damage_file(self._path))
        return present

    def copies(self) -> list[StoreCopy]:
        """Those of this store, newest first."""
        mark = self._mark.read()
        return [
            StoreCopy(copy.path, copy.at, copy.apps, copy.fault)
            for copy in self._copies.listing()
            if copy.id is None or mark is None or copy.id == mark.id
        ]

    def newest_whole(self) -> StoreCopy | None:
        """The one that would be restored."""
        return next((copy for copy in self.copies() if copy.fault is None), None)

    def access(self, copy: StoreCopy | None = None) -> list[Access]:
        """See `StoreRecovery`; by user name."""
        path = self._path if copy is None else copy.path
        with faults.translated(path, BUSY_S), closing(self._connect(path)) as connection:
            users = connection.execute("SELECT name, role FROM users ORDER BY name").fetchall()
            keys = connection.execute("SELECT user, fingerprint FROM keys").fetchall()
        return [
            Access(name, role, frozenset(key for user, key in keys if user == name))
            for name, role in users
        ]

    def new_from(self, copy: StoreCopy) -> Path:
        """Prepare the copy next to the store; `put` makes it the store."""
        new = self._path.with_name(f"{self._path.name}.new")
        self._place(copy, new)
        with faults.translated(new, BUSY_S), closing(self._connect(new)) as connection:
            migrating.migrate(connection, lambda _: None)
            self._claim(connection, self._mark.read())
        files.sync_file(new)
        return new

    def put(self, new: Path) -> None:
        """Make it the store; the former one is already out of the way."""
        new.replace(self._path)
        files.sync_directory(self._path.parent)
        with (
            faults.translated(self._path, BUSY_S),
            closing(self._connect(self._path)) as connection,
        ):
            present = migrating.identity(connection)
        assert present is not None
        self._mark.write(present)

    def adopt(self) -> None:
        """Accept the store that is there as this server's, whatever the mark says.

        Raises PaasError if it is missing or damaged, or sealed with a key that is missing.
        """
        self._checked()
        self._check_key()
        with (
            faults.translated(self._path, BUSY_S),
            closing(self._connect(self._path)) as connection,
        ):
            migrating.migrate(connection, self._copies.before_migration)
            present, mark = migrating.identity(connection), self._mark.read()
            assert present is not None
            changes = max(present.changes, mark.changes if mark else 0)
            claimed = self._claim(connection, Mark(present.id, changes))
        self._mark.write(claimed)

    def place_newest(self, directory: Path) -> Path | None:
        """A database in that directory to read what ran from; None if no copy is intact."""
        copy = self.newest_whole()
        if copy is None:
            return None
        files.make_directory(directory, mode=0o700)
        path = directory / self._path.name
        clear(path)
        files.remove(MarkFile(path).path)
        self._place(copy, path)
        return path

    def _place(self, copy: StoreCopy, path: Path) -> None:
        clear(path)
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        try:
            shutil.copyfile(copy.path, path)
        except OSError as error:
            raise PaasError(
                "store-not-copied", f"{copy.path} cannot be copied: {error.strerror}."
            ) from error

    def _claim(self, connection: sqlite3.Connection, mark: Mark | None) -> Mark:
        """Give it this identity, one more change, and numbers that were never used."""
        present = migrating.identity(connection)
        assert present is not None
        changes = max(present.changes, mark.changes if mark else 0) + 1
        claimed = Mark(mark.id if mark else present.id, changes)
        connection.execute("PRAGMA journal_mode = WAL")  # as `create` does; a copy has another
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("UPDATE identity SET id = ?, changes = ?", (claimed.id, changes))
        connection.execute("UPDATE uids_given SET count = count + ?", (_UIDS_AHEAD,))
        for table in _COUNTED:
            ahead = "UPDATE sqlite_sequence SET seq = seq + ? WHERE name = ?"
            if connection.execute(ahead, (_IDS_AHEAD, table)).rowcount == 0:
                connection.execute("INSERT INTO sqlite_sequence VALUES (?, ?)", (table, _IDS_AHEAD))
        connection.execute("COMMIT")
        return claimed

    def _connect(self, path: Path) -> sqlite3.Connection:
        uri = f"{path.absolute().as_uri()}?mode=rw"
        return sqlite3.connect(uri, uri=True, timeout=BUSY_S, isolation_level=None)
