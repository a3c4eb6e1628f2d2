"""The users' SSH keys."""

import sqlite3
from datetime import datetime

from paas.domain.people.keys import Key
from paas.domain.values.errors import PaasError
from paas.domain.values.names import UserName
from paas.store.database import Table, parse_time


class Keys(Table):
    """The keys that may log in."""

    def add(self, key: Key, now: datetime) -> None:
        """Raises PaasError if the fingerprint is taken."""
        try:
            self._database.write(
                "INSERT INTO keys (fingerprint, user, kind, body, comment, expires_at, created_at) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                key.fingerprint,
                key.user,
                key.kind,
                key.body,
                key.comment,
                _text(key.expires),
                now.isoformat(),
            )
        except sqlite3.IntegrityError as error:
            raise PaasError(
                "key-taken", f"The key {key.fingerprint} has already been added.", "See: paas keys"
            ) from error

    def all(self) -> list[Key]:
        rows = self._database.rows("SELECT * FROM keys ORDER BY user, created_at")
        return [_key(row) for row in rows]

    def find(self, fingerprint: str) -> Key | None:
        row = self._database.row("SELECT * FROM keys WHERE fingerprint = ?", fingerprint)
        return _key(row) if row else None

    def extend(self, fingerprint: str, expires: datetime | None) -> None:
        """Give a key another time at which it expires; None: it does not."""
        self._database.write(
            "UPDATE keys SET expires_at = ? WHERE fingerprint = ?", _text(expires), fingerprint
        )

    def remove(self, fingerprint: str) -> None:
        self._database.write("DELETE FROM keys WHERE fingerprint = ?", fingerprint)


def _key(row: sqlite3.Row) -> Key:
    return Key(
        fingerprint=row["fingerprint"],
        user=UserName(row["user"]),
        kind=row["kind"],
        body=row["body"],
        comment=row["comment"],
        expires=parse_time(row["expires_at"]) if row["expires_at"] else None,
        added=parse_time(row["created_at"]),
    )


def _text(time: datetime | None) -> str | None:
    return time.isoformat() if time else None
