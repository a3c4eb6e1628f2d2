"""The users' tokens, by their hashes: the store cannot tell a token."""

import sqlite3
from datetime import datetime

from paas.domain.people.permissions import AppRole
from paas.domain.people.tokens import Token, TokenPrefix
from paas.domain.values.names import AppName, UserName
from paas.store.database import Table, parse_time

_SELECT = "SELECT tokens.*, apps.name AS app FROM tokens LEFT JOIN apps ON apps.id = tokens.app_id"


class Tokens(Table):
    """The tokens that may be used, until they expire; those of a user or app go with it.

    So do the sessions that were opened with a token.
    """

    def add(self, token: Token, hash: str) -> None:
        self._database.write(
            "INSERT INTO tokens (hash, prefix, user, note, app_id, role, created_at, expires_at, "
            "session, made_with) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            hash,
            token.prefix,
            token.user,
            token.note,
            token.app_id,
            token.role,
            token.created.isoformat(),
            token.expires.isoformat() if token.expires else None,
            int(token.session),
            token.made_with,
        )

    def by_hash(self, hash: str) -> Token | None:
        row = self._database.row(f"{_SELECT} WHERE hash = ?", hash)
        return _token(row) if row else None

    def find(self, prefix: TokenPrefix) -> Token | None:
        row = self._database.row(f"{_SELECT} WHERE prefix = ?", prefix)
        return _token(row) if row else None

    def all(self) -> list[Token]:
        """By user, the oldest first."""
        rows = self._database.rows(f"{_SELECT} ORDER BY user, tokens.created_at, prefix")
        return [_token(row) for row in rows]

    def remove(self, prefix: TokenPrefix) -> None:
        self._database.write("DELETE FROM tokens WHERE prefix = ?", prefix)

    def remove_sessions(self, user: UserName) -> None:
        """Those of a user."""
        self._database.write("DELETE FROM tokens WHERE session = 1 AND user = ?", user)

    def remove_ended_sessions(self, now: datetime) -> None:
        """Those of all users that have expired."""
        self._database.write(
            "DELETE FROM tokens WHERE session = 1 AND expires_at <= ?", now.isoformat()
        )


def _token(row: sqlite3.Row) -> Token:
    return Token(
        prefix=TokenPrefix(row["prefix"]),
        user=UserName(row["user"]),
        note=row["note"],
        app_id=row["app_id"],
        app=AppName(row["app"]) if row["app"] is not None else None,
        role=AppRole(row["role"]) if row["role"] is not None else None,
        created=parse_time(row["created_at"]),
        expires=parse_time(row["expires_at"]) if row["expires_at"] else None,
        session=bool(row["session"]),
        made_with=TokenPrefix(row["made_with"]) if row["made_with"] is not None else None,
    )
