"""What is recorded about cron jobs, by app and name."""

import sqlite3
from datetime import datetime

from paas.domain.runs.cron import JobState, Missed, is_taken
from paas.domain.runs.cron_history import APP_RUNS_MAX, RUNS_MAX, PastRun
from paas.domain.runs.runs import RunEnd
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

    def take(self, app_id: int, name: str, due: datetime | None, run: PastRun | None) -> bool:
        """Record a run before it starts. False, and nothing is recorded: its time was dealt with,
        or the app is gone.

        due: its time by the schedule; None: a user started it. run: None: it is skipped.
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
            if run is not None:
                connection.execute(
                    "UPDATE cron SET started = ?, user = ?, ended = NULL, status = NULL, "
                    "missed = 0, missed_at = NULL WHERE app_id = ? AND name = ?",
                    (run.started.isoformat(), run.user, app_id, name),
                )
                _remember(connection, app_id, run)
        return True

    def end(self, app_id: int, name: str, started: datetime, ended: datetime, end: RunEnd) -> None:
        """Record the end of the run that started then."""
        with self._database.writing() as connection:
            _end(connection, (app_id, name), started, ended, end)

    def interrupt(self, app_id: int, name: str, started: datetime, ended: datetime) -> None:
        """Record that the run that started then has ended without a result."""
        with self._database.writing() as connection:
            _end(connection, (app_id, name), started, ended, None)

    def history(self, app_id: int, name: str | None) -> list[PastRun]:
        """The last runs of a job, or of all, the newest first."""
        rows = self._database.rows(
            "SELECT * FROM cron_runs WHERE app_id = ? AND name = coalesce(?, name) "
            "ORDER BY id DESC",
            app_id,
            name,
        )
        return [_past_run(row) for row in rows]

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


def _remember(connection: sqlite3.Connection, app_id: int, run: PastRun) -> None:
    """Add it to the history, and forget the oldest ones."""
    connection.execute(
        "INSERT INTO cron_runs (app_id, name, user, version, started) VALUES (?, ?, ?, ?, ?)",
        (app_id, run.job, run.user, run.version, run.started.isoformat()),
    )
    older = "SELECT id FROM cron_runs WHERE app_id = ? {} ORDER BY id DESC LIMIT 1 OFFSET ?"
    connection.execute(
        f"DELETE FROM cron_runs WHERE app_id = ? AND name = ? "
        f"AND id <= ({older.format('AND name = ?')})",
        (app_id, run.job, app_id, run.job, RUNS_MAX),
    )
    connection.execute(
        f"DELETE FROM cron_runs WHERE app_id = ? AND id <= ({older.format('')})",
        (app_id, app_id, APP_RUNS_MAX),
    )


def _end(
    connection: sqlite3.Connection,
    job: tuple[int, str],
    started: datetime,
    ended: datetime,
    end: RunEnd | None,
) -> None:
    """Of the state, if no run has started since, and of the history."""
    status = end.status if end is not None else None
    connection.execute(
        "UPDATE cron SET ended = ?, status = ? WHERE app_id = ? AND name = ? AND started = ?",
        (ended.isoformat(), status, *job, started.isoformat()),
    )
    connection.execute(
        "UPDATE cron_runs SET ended = ?, status = ?, shortage = ? "
        "WHERE app_id = ? AND name = ? AND started = ?",
        (ended.isoformat(), status, end.shortage if end else "", *job, started.isoformat()),
    )


def _moment(text: str | None) -> datetime | None:
    return parse_time(text) if text else None


def _past_run(row: sqlite3.Row) -> PastRun:
    return PastRun(
        job=row["name"],
        user=row["user"],
        version=row["version"],
        started=parse_time(row["started"]),
        ended=_moment(row["ended"]),
        status=row["status"],
        shortage=row["shortage"],
    )


def _state(row: sqlite3.Row) -> JobState:
    return JobState(
        suspended=None if row["suspended"] is None else bool(row["suspended"]),
        due=_moment(row["due"]),
        started=_moment(row["started"]),
        user=row["user"],
        ended=_moment(row["ended"]),
        status=row["status"],
        missed=row["missed"],
        missed_at=_moment(row["missed_at"]),
    )
