"""What apps prove their domains with, and the domains that wait for their proof."""

import sqlite3
from collections.abc import Iterable
from datetime import datetime

from paas.domain.routing.proofs import Pending
from paas.domain.routing.sites import Redirect
from paas.store.database import Table, parse_time


class DomainProofs(Table):
    """Tokens of apps, and pending domains; several apps may wait for the same one."""

    def token(self, app_id: int, fresh: str) -> str:
        """The app's token: fresh, if it has none yet."""
        present = self._token(app_id)
        if present is not None:
            return present
        self._database.write(
            "INSERT INTO domain_tokens (app_id, token) VALUES (?, ?) ON CONFLICT DO NOTHING",
            *(app_id, fresh),
        )
        return self._token(app_id) or fresh

    def has_token(self, app_id: int, tokens: Iterable[str]) -> bool:
        """Whether the app's token is one of these."""
        return self._token(app_id) in set(tokens)

    def apps_with(self, tokens: Iterable[str]) -> frozenset[int]:
        """The ids of the apps that have these tokens."""
        rows = (
            self._database.row("SELECT app_id FROM domain_tokens WHERE token = ?", token)
            for token in tokens
        )
        return frozenset(row["app_id"] for row in rows if row)

    def pending(self, app_id: int) -> list[Pending]:
        """By name."""
        rows = self._database.rows(
            "SELECT * FROM pending_domains WHERE app_id = ? ORDER BY host", app_id
        )
        return [_pending(row) for row in rows]

    def due(self, now: datetime, count: int) -> list[tuple[int, Pending]]:
        """Up to count that are to be checked, with their apps' ids; the longest due first."""
        rows = self._database.rows(
            "SELECT * FROM pending_domains WHERE again <= ? ORDER BY again LIMIT ?",
            *(now.isoformat(), count),
        )
        return [(row["app_id"], _pending(row)) for row in rows]

    def set_pending(self, app_id: int, pending: Iterable[Pending]) -> None:
        """Add these, or replace what is known of them; nothing, if the app is gone."""
        with self._database.writing() as connection:
            if not connection.execute("SELECT 1 FROM apps WHERE id = ?", (app_id,)).fetchone():
                return
            connection.executemany(
                "INSERT OR REPLACE INTO pending_domains (app_id, host, user, since, again, "
                "redirect_to, redirect_code, tries, why) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [_row(app_id, one) for one in pending],
            )

    def record_check(self, app_id: int, one: Pending) -> None:
        """Record a check of a name, unless it was removed meanwhile."""
        self._database.write(
            "UPDATE pending_domains SET again = ?, tries = ?, why = ? "
            "WHERE app_id = ? AND host = ?",
            *(one.again.isoformat(), one.tries, one.why, app_id, one.host),
        )

    def drop_pending(self, app_id: int, hosts: Iterable[str]) -> None:
        """Forget these; no error for those that are not there."""
        with self._database.writing() as connection:
            connection.executemany(
                "DELETE FROM pending_domains WHERE app_id = ? AND host = ?",
                [(app_id, host) for host in hosts],
            )

    def _token(self, app_id: int) -> str | None:
        row = self._database.row("SELECT token FROM domain_tokens WHERE app_id = ?", app_id)
        return row["token"] if row else None


def _pending(row: sqlite3.Row) -> Pending:
    to = row["redirect_to"]
    return Pending(
        host=row["host"],
        user=row["user"],
        since=parse_time(row["since"]),
        again=parse_time(row["again"]),
        redirect=Redirect(row["host"], to, row["redirect_code"]) if to else None,
        tries=row["tries"],
        why=row["why"],
    )


def _row(app_id: int, one: Pending) -> tuple[object, ...]:
    redirect = one.redirect
    leads = (redirect.to, redirect.code) if redirect else (None, None)
    times = (one.since.isoformat(), one.again.isoformat())
    return (app_id, one.host, one.user, *times, *leads, one.tries, one.why)
