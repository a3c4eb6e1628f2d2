"""What is recorded about cron jobs, by app and name."""

import sqlite3
from datetime import datetime

from paas.domain.runs.cron import JobState, Missed, is_taken
from paas.store.database import Table, parse_time


class Cron(Table):
    """The states of the apps' cron jobs."""

    def of_app(self, app_id: int) -> dict[str, JobState]:
        """By the jobs' names, including jobs that the current release does not have."""
        rows = self._database.rows(
            "SELECT name, suspended, due, started, user, ended, status, missed, missed_at "
            "FROM cron WHERE app_id = ?",
            app_id,
        )
        return {row["name"]: _state(row) for row in rows}

    def suspend(self, app_id: int, name: str, suspended: bool) -> None:
        with self._database.writing() as connection:
            if _ensure(connection, app_id, name):
                connection.execute(
                    "UPDATE cron SET suspended = ? WHERE app_id = ? AND name = ?",
                    (int(suspended), app_id, name),
                )

    def take(
        self, app_id: int, name: str, due: datetime | None, started: datetime | None, user: str
    ) -> bool:
        """Record a run before it starts. False, and nothing is recorded: its time was dealt with,
        or the app is gone.

        due: its time by the schedule; None: a user started it. started: None: it is skipped.
        """
        with self._database.writing() as connection:
            if not _ensure(connection, app_id, name):
                return False
            if due is not None:
                text = connection.execute(
                    "SELECT due FROM cron WHERE app_id = ? AND name = ?", (app_id, name)
                ).fetchone()["due"]
                if is_taken(text and parse_time(text), due):
                    return False
                connection.execute(
                    "UPDATE cron SET due = ? WHERE app_id = ? AND name = ?",
                    (due.isoformat(), app_id, name),
                )
            if started is not None:
                connection.execute(
                    "UPDATE cron SET started = ?, user = ?, ended = NULL, status = NULL, "
                    "missed = 0, missed_at = NULL WHERE app_id = ? AND name = ?",
                    (started.isoformat(), user, app_id, name),
                )
        return True

    def end(
        self, app_id: int, name: str, started: datetime, ended: datetime, status: int | None
    ) -> None:
        """Record the end of the run that started then, if none has since. status: None if it
        was interrupted."""
        self._database.write(
            "UPDATE cron SET ended = ?, status = ? WHERE app_id = ? AND name = ? AND started = ?",
            ended.isoformat(),
            status,
            app_id,
            name,
            started.isoformat(),
        )

    def add_missed(self, app_id: int, name: str, missed: Missed) -> None:
        with self._database.writing() as connection:
            if _ensure(connection, app_id, name):
                connection.execute(
                    "UPDATE cron SET missed = missed + ?, missed_at = ? "
                    "WHERE app_id = ? AND name = ?",
                    (missed.count, missed.last.isoformat(), app_id, name),
                )


def _ensure(connection: sqlite3.Connection, app_id: int, name: str) -> bool:
    """Have a row for the job; False if the app is gone."""
    connection.execute(
        "INSERT OR IGNORE INTO cron (app_id, name) SELECT id, ? FROM apps WHERE id = ?",
        (name, app_id),
    )
    found = connection.execute("SELECT 1 FROM cron WHERE app_id = ? AND name = ?", (app_id, name))
    return found.fetchone() is not None


def _state(row: sqlite3.Row) -> JobState:
    def moment(text: str | None) -> datetime | None:
        return parse_time(text) if text else None

    return JobState(
        suspended=None if row["suspended"] is None else bool(row["suspended"]),
        due=moment(row["due"]),
        started=moment(row["started"]),
        user=row["user"],
        ended=moment(row["ended"]),
        status=row["status"],
        missed=row["missed"],
        missed_at=moment(row["missed_at"]),
    )
