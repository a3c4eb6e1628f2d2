"""Making a store, which only an installation may do."""

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from paas.adapters.system import files
from paas.store import migrating, seals
from paas.store.mark import MarkFile
from paas.store.server_keys import ServerKeys


def create(path: Path, key_id: str | None = None) -> None:
    """Make an empty store at path, with a new identity. Raises FileExistsError if there is one.

    key_id: of the key that its secrets are sealed with; None: of the newest when one is written.
    It appears whole or not at all. A kill before the mark leaves a store without one, which is
    accepted as it is.
    """
    new = path.with_name(f"{path.name}.new")
    clear(new)
    os.close(os.open(new, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    with closing(sqlite3.connect(new, isolation_level=None)) as connection:
        # Stored in the file. If the first openers had to switch modes, some of them would fail.
        connection.execute("PRAGMA journal_mode = WAL")
        migrating.migrate(connection, lambda _: None)
        if key_id is not None:
            seals.begin_sealed(connection, key_id)
        present = migrating.identity(connection)
    files.sync_file(new)
    os.link(new, path)
    files.remove(new)
    files.sync_directory(path.parent)
    if present is not None:
        MarkFile(path).write(present)


def create_for_installation(path: Path, server_key: Path) -> bool:
    """Make one if this server never had one; returns whether it did.

    A mark or a copy shows that it had one: that store was lost and should be restored. server_key:
    the file of the key that secrets are sealed with; created, too, unless sealed secrets exist.
    """
    keys = ServerKeys(server_key)
    if not _is_sealed(path):
        keys.create()
    never = not path.exists() and not MarkFile(path).path.exists()
    if never and not list(path.with_name("copies").glob("*.db")):
        create(path, keys.newest())
        return True
    return False


def _is_sealed(path: Path) -> bool:
    """Whether there is a store with secrets that need a key."""
    if not path.exists():
        return False
    with (
        suppress(sqlite3.DatabaseError),  # damaged: each command will say so
        closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True)) as connection,
    ):
        return seals.key_of(connection) is not None
    return False


def clear(path: Path) -> None:
    """Delete a database that is not a store, with the files that SQLite keeps next to it."""
    for suffix in ("", "-journal", "-wal", "-shm"):
        files.remove(path.with_name(path.name + suffix))
