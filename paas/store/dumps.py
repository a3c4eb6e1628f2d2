"""What is recorded of the dumps of datastores, and when they are made."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime, time

from paas.domain.datastores.dumps import (
    Dump,
    Dumped,
    DumpSchedule,
    DumpState,
    default_schedule,
    object_of,
)
from paas.domain.datastores.external import External
from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.datastores.names import DatastoreName
from paas.store.database import Table, parse_time


class Dumps(Table):
    """The dumps, which outlive their datastores, and the schedules, which do not."""

    def begin(self, datastore: Dumped, target: str, user: str | None, now: datetime) -> Dump:
        """Record one that is about to be made. target: where it goes, in words."""
        with self._database.writing() as connection:
            row = connection.execute(
                "INSERT INTO dumps "
                "(app_id, datastore, kind, version, object, target, user, state, started_at) "
                "VALUES (?, ?, ?, ?, '', ?, ?, ?, ?) RETURNING id",
                (
                    *(datastore.app_id, datastore.name, datastore.kind, datastore.version),
                    *(target, user),
                    *(DumpState.RUNNING, now.isoformat()),
                ),
            ).fetchone()
            name = object_of(datastore.name, row["id"], now)
            connection.execute("UPDATE dumps SET object = ? WHERE id = ?", (name, row["id"]))
        found = self.find(row["id"])
        assert found is not None
        return found

    def end(self, dump_id: int, now: datetime, *, size_bytes: int, sha256: str) -> None:
        """Record that it was read back."""
        self._database.write(
            "UPDATE dumps SET state = ?, ended_at = ?, size_bytes = ?, sha256 = ? WHERE id = ?",
            *(DumpState.DONE, now.isoformat(), size_bytes, sha256, dump_id),
        )

    def fail(self, dump_id: int, now: datetime, why: str) -> None:
        """Record that there is none."""
        self._database.write(
            "UPDATE dumps SET state = ?, ended_at = ?, why = ? WHERE id = ?",
            *(DumpState.FAILED, now.isoformat(), why, dump_id),
        )

    def forget(self, dumps: Sequence[Dump]) -> None:
        with self._database.writing() as connection:
            connection.executemany("DELETE FROM dumps WHERE id = ?", [(one.id,) for one in dumps])

    def find(self, dump_id: int) -> Dump | None:
        row = self._database.row("SELECT * FROM dumps WHERE id = ?", dump_id)
        return _dump(row) if row else None

    def of_app(self, app_id: int) -> list[Dump]:
        """Those of its datastores, also of destroyed ones; in the order in which they were made."""
        rows = self._database.rows("SELECT * FROM dumps WHERE app_id = ? ORDER BY id", app_id)
        return [_dump(row) for row in rows]

    def of_datastore(self, name: DatastoreName) -> list[Dump]:
        """In the order in which they were made."""
        rows = self._database.rows("SELECT * FROM dumps WHERE datastore = ? ORDER BY id", name)
        return [_dump(row) for row in rows]

    def schedule(self, datastore: Dumped) -> tuple[DumpSchedule | None, datetime]:
        """When it is dumped, and since when that is so. None: not by a schedule.

        A datastore is dumped unless somebody said otherwise; a database elsewhere is not.
        """
        table, key = _schedules(datastore)
        row = self._database.row(
            f"SELECT at, zone, since FROM {table} WHERE {key} = ?",
            datastore.id,
        )
        if row is None and isinstance(datastore, External):
            return None, datastore.created_at
        if row is None:
            return default_schedule(datastore.name), datastore.created_at
        since = parse_time(row["since"])
        if row["at"] is None:
            return None, since
        return DumpSchedule(time.fromisoformat(row["at"]), row["zone"]), since

    def set_schedule(self, datastore: Dumped, schedule: DumpSchedule | None, now: datetime) -> None:
        """None: no more dumps by a schedule."""
        table, key = _schedules(datastore)
        self._database.write(
            f"INSERT OR REPLACE INTO {table} ({key}, at, zone, since) VALUES (?, ?, ?, ?)",
            datastore.id,
            schedule.at.isoformat("minutes") if schedule else None,
            schedule.zone if schedule else "UTC",
            now.isoformat(),
        )


def _schedules(datastore: Dumped) -> tuple[str, str]:
    """The table, and its column that has the id."""
    if isinstance(datastore, External):
        return "external_dump_schedules", "external_id"
    return "dump_schedules", "datastore_id"


def _dump(row: sqlite3.Row) -> Dump:
    return Dump(
        id=row["id"],
        app_id=row["app_id"],
        datastore=DatastoreName(row["datastore"]),
        kind=DatastoreKind(row["kind"]),
        version=row["version"],
        object=row["object"],
        target=row["target"],
        user=row["user"],
        state=DumpState(row["state"]),
        started_at=parse_time(row["started_at"]),
        ended_at=parse_time(row["ended_at"]) if row["ended_at"] else None,
        size_bytes=row["size_bytes"],
        sha256=row["sha256"],
        why=row["why"],
    )
