"""What can be wrong with the store, in words: missing, of another server, older, damaged."""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from paas.adapters.system.disk_faults import no_space
from paas.adapters.system.files import read_bytes
from paas.domain.values.errors import (
    StoreFaultError,
    StoreForeignError,
    StoreKeyError,
    StoreLockedError,
    StoreOlderError,
    disk_failure,
    disk_full,
)
from paas.store.mark import Mark

_SERVES_ON = "Running apps are still served; nothing can be changed."
_HINT = "The server's administrator can see how to restore it with: sudo paas doctor"
_MISSING_WORDS = ("no such table", "no such column")


def missing(path: Path) -> StoreFaultError:
    """There is no file, or nothing in it."""
    return StoreFaultError(
        "store-missing",
        f"The server's database {path} is missing or empty, and only an installation may make a "
        f"new one. {_SERVES_ON}",
        _HINT,
    )


def foreign(path: Path) -> StoreForeignError:
    """It is the store of another server."""
    return StoreForeignError(
        "store-foreign",
        f"The server's database {path} was made by another installation: it does not know the "
        f"apps that are here. {_SERVES_ON}",
        _HINT,
    )


def older(path: Path, there: int, wanted: int) -> StoreOlderError:
    """It was put back from an older copy."""
    return StoreOlderError(
        "store-older",
        f"The server's database {path} is an older copy: it contains {there} changes, but "
        f"{wanted} were made. {_SERVES_ON}",
        _HINT,
    )


def damaged(path: Path, why: str) -> StoreFaultError:
    """SQLite cannot read it."""
    return StoreFaultError(
        "store-damaged",
        f"The server's database {path} is damaged: {why.rstrip('.')}. {_SERVES_ON}",
        _HINT,
    )


def locked(busy_s: float) -> StoreLockedError:
    """Another program keeps it locked for too long."""
    return StoreLockedError(
        "state-locked",
        "Another program has locked the server's database, and did not release it "
        f"within {busy_s:g} s.",
        "To see who has it open, run on the server: fuser -v state.db. Then try again.",
    )


def no_key(path: Path) -> StoreKeyError:
    """The key that opens its secrets is missing. path: of the keys."""
    what = "does not contain the key" if path.exists() else "is missing: it contains the key"
    return StoreKeyError(
        "store-key",
        f"The file {path} {what} that opens the config vars and drain URLs in the server's "
        f"database. {_SERVES_ON}",
        f"The server's administrator has to put it back from a copy: {path}",
    )


def fault(path: Path, present: Mark | None, mark: Mark | None) -> StoreFaultError | None:
    """What is wrong with a store of this identity, going by the mark beside it."""
    if mark is None:
        return None
    if present is None:
        return older(path, 0, mark.changes)
    if present.id != mark.id:
        return foreign(path)
    if present.changes < mark.changes:
        return older(path, present.changes, mark.changes)
    return None


def damage_file(path: Path) -> Path:
    """Where it is remembered that a check found the database damaged."""
    return path.with_name("store.damaged")


def known_damage(path: Path) -> str | None:
    """What such a check found."""
    words = read_bytes(damage_file(path))
    return None if words is None else words.decode("utf-8", "replace").strip()


@contextmanager
def translated(path: Path, busy_s: float) -> Iterator[None]:
    """Say SQLite's errors in our words."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
        if code in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}:
            raise no_space(path, for_root=True) or disk_full() from error
        if code == sqlite3.SQLITE_BUSY:
            raise locked(busy_s) from error
        if code == sqlite3.SQLITE_READONLY:
            fault = disk_failure(OSError(errno.EROFS, "", str(path)))
            assert fault is not None
            raise fault from error
        if code == sqlite3.SQLITE_CANTOPEN and (full := no_space(path, for_root=True)) is not None:
            raise full from error
        if code == sqlite3.SQLITE_CANTOPEN and not path.exists():
            raise missing(path) from error
        if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB} or str(error).startswith(
            _MISSING_WORDS
        ):
            raise damaged(path, str(error)) from error
        raise
