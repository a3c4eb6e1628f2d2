"""The users' SSH keys."""

import sqlite3
from datetime import datetime

from paas.domain.apps.apps import Key
from paas.domain.values.errors import PaasError
from paas.domain.values.names import UserName
from paas.store.database import Table


class Keys(Table):
    """The keys that may log in."""

    def add(self, key: Key, now: datetime) -> None:
        """Raises PaasError if the fingerprint is taken."""
        try:
            self._database.write(
                "INSERT INTO keys (fingerprint, user, kind, body, comment, created_at) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                key.fingerprint,
                key.user,
                key.kind,
                key.body,
                key.comment,
                now.isoformat(),
            )
        except sqlite3.IntegrityError as error:
            raise PaasError(
                "key-taken", f"The key {key.fingerprint} is already there.", "See: paas keys"
            ) from error

    def all(self) -> list[Key]:
        rows = self._database.rows(
            "SELECT fingerprint, user, kind, body, comment FROM keys ORDER BY user, created_at"
        )
        return [
            Key(
                fingerprint=row["fingerprint"],
                user=UserName(row["user"]),
                kind=row["kind"],
                body=row["body"],
                comment=row["comment"],
            )
            for row in rows
        ]

    def remove(self, fingerprint: str) -> None:
        self._database.write("DELETE FROM keys WHERE fingerprint = ?", fingerprint)
