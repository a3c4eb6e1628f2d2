"""Links that open a session of the dashboard, by their hashes: the store cannot tell one."""

import sqlite3
from datetime import datetime

from paas.domain.people.sessions import LINKS_MAX, LoginLink
from paas.domain.people.tokens import TokenPrefix
from paas.domain.values.names import UserName
from paas.store.database import Table, parse_time


class LoginLinks(Table):
    """The links that were not used; those of a user or a token go with it."""

    def add(self, link: LoginLink, hash: str) -> None:
        """Keep one; the user's oldest give way to it."""
        self._database.write(
            "INSERT INTO login_links (hash, prefix, user, made_with, until, expires_at) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            hash,
            link.prefix,
            link.user,
            link.made_with,
            link.until.isoformat(),
            link.expires.isoformat(),
        )
        self._database.write(
            "DELETE FROM login_links WHERE user = ? AND prefix NOT IN (SELECT prefix FROM "
            "login_links WHERE user = ? ORDER BY expires_at DESC LIMIT ?)",
            link.user,
            link.user,
            LINKS_MAX,
        )

    def by_hash(self, hash: str) -> LoginLink | None:
        row = self._database.row("SELECT * FROM login_links WHERE hash = ?", hash)
        return _link(row) if row else None

    def find(self, prefix: TokenPrefix) -> LoginLink | None:
        row = self._database.row("SELECT * FROM login_links WHERE prefix = ?", prefix)
        return _link(row) if row else None

    def remove(self, prefix: TokenPrefix) -> None:
        self._database.write("DELETE FROM login_links WHERE prefix = ?", prefix)

    def remove_of(self, user: UserName) -> None:
        self._database.write("DELETE FROM login_links WHERE user = ?", user)

    def remove_expired(self, now: datetime) -> None:
        self._database.write("DELETE FROM login_links WHERE expires_at <= ?", now.isoformat())


def _link(row: sqlite3.Row) -> LoginLink:
    return LoginLink(
        prefix=TokenPrefix(row["prefix"]),
        user=UserName(row["user"]),
        made_with=TokenPrefix(row["made_with"]) if row["made_with"] is not None else None,
        until=parse_time(row["until"]),
        expires=parse_time(row["expires_at"]),
    )
