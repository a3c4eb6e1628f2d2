"""Builds."""

import sqlite3

from paas.domain.builds.cache_records import Span
from paas.domain.releases.releases import Build, Status
from paas.store.database import Table, parse_time


class Builds(Table):
    """What became of each build."""

    def add(self, build: Build) -> None:
        self._database.write(
            "INSERT INTO builds (id, app_id, commit_id, user, status, reason, created_at, ended_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            build.id,
            build.app_id,
            build.commit,
            build.user,
            build.status,
            build.reason,
            build.created_at.isoformat(),
            build.ended_at.isoformat() if build.ended_at else None,
        )

    def end(self, build: Build) -> None:
        """Record status, ended_at and reason of a build."""
        self._database.write(
            "UPDATE builds SET status = ?, reason = ?, ended_at = ? WHERE id = ?",
            build.status,
            build.reason,
            build.ended_at.isoformat() if build.ended_at else None,
            build.id,
        )

    def spans(self, number: int, *, without: int | None = None) -> list[Span]:
        """When the last builds of each app were, that many of each. without: an app to leave out.

        "IS NOT" also holds if that is NULL.
        """
        rows = self._database.rows(
            "SELECT created_at, ended_at FROM (SELECT app_id, created_at, ended_at, row_number() "
            "OVER (PARTITION BY app_id ORDER BY created_at DESC, rowid DESC) AS place FROM builds) "
            "WHERE place <= ? AND app_id IS NOT ?",
            number,
            without,
        )
        return [
            Span(parse_time(row[0]), parse_time(row[1]) if row[1] is not None else None)
            for row in rows
        ]

    def last_ended(self, app_id: int) -> Build | None:
        """The newest of those that have ended."""
        row = self._database.row(
            f"{_SELECT} AND status <> ? {_NEWEST_FIRST} LIMIT 1", app_id, Status.PENDING
        )
        return _build(row) if row is not None else None

    def of_app(self, app_id: int) -> list[Build]:
        """Newest first."""
        rows = self._database.rows(f"{_SELECT} {_NEWEST_FIRST}", app_id)
        return [_build(row) for row in rows]


_SELECT = (
    "SELECT id, app_id, commit_id, user, status, created_at, ended_at, reason "
    "FROM builds WHERE app_id = ?"
)
_NEWEST_FIRST = "ORDER BY created_at DESC, rowid DESC"


def _build(row: sqlite3.Row) -> Build:
    return Build(
        id=row["id"],
        app_id=row["app_id"],
        commit=row["commit_id"],
        user=row["user"],
        status=Status(row["status"]),
        created_at=parse_time(row["created_at"]),
        ended_at=parse_time(row["ended_at"]) if row["ended_at"] else None,
        reason=row["reason"],
    )
