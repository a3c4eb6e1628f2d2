"""What was done for the archives of datastores, and which archives are kept without one."""

from datetime import datetime

from paas.domain.datastores.archives import ArchiveName, Outcome, Task, TaskRun
from paas.store.database import Table, parse_time

_KEPT = 100


class Archives(Table):
    """The runs of their tasks, and the archives of destroyed datastores."""

    def runs(self, datastore_id: int, target: str) -> list[TaskRun]:
        """Those of a target, the newest first, of the last months. target: in words."""
        rows = self._database.rows(
            "SELECT * FROM archive_runs WHERE datastore_id = ? AND target = ? ORDER BY rowid DESC",
            datastore_id,
            target,
        )
        return [
            TaskRun(
                Task(row["task"]),
                parse_time(row["started_at"]),
                parse_time(row["ended_at"]),
                Outcome(row["outcome"]),
                row["words"],
            )
            for row in rows
        ]

    def record(self, datastore_id: int, target: str, run: TaskRun) -> None:
        """Add one; of a datastore that is gone meanwhile, nothing is recorded."""
        with self._database.writing() as connection:
            connection.execute(
                "INSERT INTO archive_runs (datastore_id, target, task, started_at, ended_at, "
                "outcome, words) SELECT id, ?, ?, ?, ?, ?, ? FROM datastores WHERE id = ?",
                (
                    *(target, run.task, run.started.isoformat(), run.ended.isoformat()),
                    *(run.outcome, run.words, datastore_id),
                ),
            )
            connection.execute(
                "DELETE FROM archive_runs WHERE datastore_id = ? AND rowid NOT IN (SELECT rowid "
                "FROM archive_runs WHERE datastore_id = ? ORDER BY rowid DESC LIMIT ?)",
                (datastore_id, datastore_id, _KEPT),
            )

    def keep(self, name: ArchiveName, until: datetime) -> None:
        """Record that the datastore of an archive is destroyed, and how long it is kept."""
        self._database.write(
            "INSERT OR IGNORE INTO kept_archives (name, until) VALUES (?, ?)",
            name,
            until.isoformat(),
        )

    def kept(self) -> dict[ArchiveName, datetime]:
        """Those, and until when."""
        rows = self._database.rows("SELECT name, until FROM kept_archives ORDER BY name")
        return {ArchiveName(row["name"]): parse_time(row["until"]) for row in rows}

    def forget(self, name: ArchiveName) -> None:
        """Record that one was deleted."""
        self._database.write("DELETE FROM kept_archives WHERE name = ?", name)
