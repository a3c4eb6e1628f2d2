"""Copies of the database, made by SQLite's backup interface: state/copies.

``latest.db`` follows each change within seconds; the others are from each hour in which there was a
change, and from before each migration, named by their time: the newest KEPT are kept. Each is one
plain file, checked before it gets its name.
"""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from paas.adapters.system import files
from paas.domain.values.errors import PaasError, StoreKeyError
from paas.store import migrating, seals
from paas.store.creation import clear
from paas.store.schema import MIGRATIONS
from paas.store.server_keys import ServerKeys

KEPT = 24
LATEST = "latest.db"
_STAMP = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy. fault: why it cannot be used, or None. id: None in old ones."""

    path: Path
    at: datetime
    id: str | None
    changes: int
    apps: int
    fault: str | None


class Copies:
    """The copies of one database. keys: what its secrets are sealed with; None: not looked at."""

    def __init__(self, database: Path, keys: ServerKeys | None = None) -> None:
        self._database = database
        self._keys = keys
        self.directory = database.with_name("copies")

    def latest(self) -> None:
        """Update the latest one to the database's current state. Raises PaasError if that fails."""
        self._make(LATEST)

    def hourly(self, now: datetime) -> None:
        """Make one named after that time."""
        self._make(f"{now.astimezone(UTC):{_STAMP}}.db")
        self._prune()

    def before_migration(self, number: int) -> None:
        """Make one from before the migration with that number."""
        now = datetime.now(UTC)
        self._make(f"{now:{_STAMP}}-before-migration-{number + 1}.db")
        self._prune()

    def newest_hourly(self) -> datetime | None:
        """When the newest one except the latest was made."""
        times = [at for path in self._named() if (at := _time(path)) is not None]
        return max(times, default=None)

    def listing(self) -> list[Copy]:
        """All, those with the most changes first."""
        found = [examine(path, self._keys) for path in (self.directory / LATEST, *self._named())]
        there = [copy for copy in found if copy is not None]
        return sorted(there, key=lambda copy: (copy.changes, copy.at), reverse=True)

    def reseal(self, key_id: str) -> None:
        """Seal all but the latest with that key, too; they keep their names and times.

        That migrates them to the current schema. Copies that cannot be read or unsealed stay as
        they are. Raises PaasError if one could not be written.
        """
        self._remove_partial()
        for path in self._named():
            if self._keys is not None and not _is_sealed(path, key_id):
                self._reseal(path, key_id, self._keys)

    def _reseal(self, path: Path, key_id: str, keys: ServerKeys) -> None:
        with self._temporary(path.name) as temporary:
            shutil.copyfile(path, temporary)
            with closing(sqlite3.connect(temporary, isolation_level=None)) as connection:
                migrating.migrate(connection, lambda _: None)
                connection.execute("BEGIN")
                try:
                    seals.reseal(connection, keys, key_id)
                except StoreKeyError:
                    return
                connection.execute("UPDATE sealing SET scrubbed = 1")
                connection.execute("COMMIT")
                connection.execute("VACUUM")
                connection.execute("PRAGMA journal_mode = DELETE")
            shutil.copystat(path, temporary)
            self._put(temporary, path.name)

    def _named(self) -> list[Path]:
        return sorted(path for path in self.directory.glob("*.db") if _time(path) is not None)

    def _prune(self) -> None:
        """Delete the oldest, and files that killed processes left."""
        self._remove_partial()
        for path in self._named()[:-KEPT]:
            files.remove(path)

    def _remove_partial(self) -> None:
        for path in self.directory.glob(".*.tmp*"):
            process = path.name.partition(".tmp")[0].rpartition(".")[2]
            if not (process.isdecimal() and Path("/proc", process).exists()):
                files.remove(path)

    def _make(self, name: str) -> None:
        files.make_directory(self.directory, mode=0o700)
        with self._temporary(name) as temporary:
            uri = f"{self._database.absolute().as_uri()}?mode=rw"
            with (
                closing(sqlite3.connect(uri, uri=True)) as source,
                closing(sqlite3.connect(temporary)) as target,
            ):
                target.execute("PRAGMA synchronous = OFF")  # it is synced as a whole below
                source.backup(target)
                target.execute("PRAGMA journal_mode = DELETE")
            if (why := fault_of(temporary)) is not None:
                raise PaasError("copy-damaged", f"A copy of the database is damaged: {why}.")
            self._put(temporary, name)

    @contextmanager
    def _temporary(self, name: str) -> Iterator[Path]:
        """An empty file that `_put` turns into that copy; removed in any case.

        Raises PaasError if it, or what is done with it, fails.
        """
        temporary = self.directory / f".{name}.{os.getpid()}.tmp"
        try:
            clear(temporary)
            os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
            yield temporary
        except OSError as error:
            raise _not_copied(error.strerror or str(error)) from error
        except sqlite3.DatabaseError as error:
            raise _not_copied(str(error)) from error
        finally:
            with suppress(OSError):
                clear(temporary)

    def _put(self, temporary: Path, name: str) -> None:
        files.sync_file(temporary)
        temporary.replace(self.directory / name)
        files.sync_directory(self.directory)


def _not_copied(why: str) -> PaasError:
    return PaasError("store-not-copied", f"The database could not be copied: {why}.")


def examine(path: Path, keys: ServerKeys | None = None) -> Copy | None:
    """The content of a copy; None if there is no such file. keys: to unseal it with."""
    try:
        at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except FileNotFoundError:
        return None
    fault = fault_of(path)
    if fault is not None:
        return Copy(path, at, None, -1, 0, fault)
    with closing(_read_only(path)) as connection:
        found = migrating.identity(connection)
        apps = connection.execute("SELECT count(*) FROM apps").fetchone()[0]
        newer = migrating.version(connection) > len(MIGRATIONS)
        key_id = seals.key_of(connection)
    if newer:
        fault = "it is of a newer version of paas"
    elif key_id is not None and keys is not None and keys.find(key_id) is None:
        fault = f"its secrets are sealed with a key that is not in {keys.path}"
    return Copy(path, at, found.id if found else None, found.changes if found else -1, apps, fault)


def fault_of(path: Path) -> str | None:
    """What SQLite finds wrong with a file that nothing writes to."""
    try:
        with closing(_read_only(path)) as connection:
            return whole(connection)
    except sqlite3.DatabaseError as error:
        return str(error)


def whole(connection: sqlite3.Connection) -> str | None:
    """What is wrong with a database: damaged, or without our tables; None: nothing."""
    words = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    if words != "ok":
        return words.replace("\n", " ")
    connection.execute("SELECT count(*) FROM apps").fetchone()
    return None


def _is_sealed(path: Path, key_id: str) -> bool:
    """Whether all of it is sealed with that key, or it cannot be read."""
    if fault_of(path) is not None:
        return True
    with closing(_read_only(path)) as connection:
        present = migrating.version(connection)
        if present > len(MIGRATIONS):
            return True
        if present < len(MIGRATIONS) or seals.key_of(connection) != key_id:
            return False
        return seals.are_all_sealed(connection, key_id)


def _read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)


def _time(path: Path) -> datetime | None:
    try:
        return datetime.strptime(path.name[:16], _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None
