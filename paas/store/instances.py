"""The instances that run, or that a roll-out is about to start."""

import sqlite3
from collections.abc import Sequence

from paas.domain.releases.releases import Instance
from paas.domain.values.errors import PaasError
from paas.domain.values.names import ProcessType
from paas.store.database import Table


class Instances(Table):
    """The instances of the apps."""

    def next_rollout_id(self) -> int:
        """A number that was never used before, for a new group of instances."""
        with self._database.writing() as connection:
            rollout_id = connection.execute("INSERT INTO generations DEFAULT VALUES").lastrowid
            connection.execute("DELETE FROM generations WHERE id < ?", (rollout_id,))
        assert rollout_id is not None
        return rollout_id

    def add(self, instances: Sequence[Instance]) -> None:
        """Record instances before they are started. Raises PaasError if a port is taken."""
        rows = [(i.app_id, i.version, i.rollout_id, i.kind, i.number, i.port) for i in instances]
        try:
            with self._database.writing() as connection:
                connection.executemany(
                    "INSERT INTO instances (app_id, version, generation, kind, number, port) "
                    "VALUES (?, ?, ?, ?, ?, ?)",
                    rows,
                )
        except sqlite3.IntegrityError as error:
            raise PaasError("port-taken", "Another deploy took the same port: try again.") from (
                error
            )

    def of_app(self, app_id: int) -> list[Instance]:
        rows = self._database.rows(f"{_SELECT} WHERE app_id = ? {_ORDER}", app_id)
        return [_instance(row) for row in rows]

    def all(self) -> list[Instance]:
        return [_instance(row) for row in self._database.rows(f"{_SELECT} {_ORDER}")]

    def remove(self, instances: Sequence[Instance]) -> None:
        keys = [(i.rollout_id, i.kind, i.number) for i in instances]
        with self._database.writing() as connection:
            connection.executemany(
                "DELETE FROM instances WHERE generation = ? AND kind = ? AND number = ?", keys
            )

    def used_ports(self) -> set[int]:
        rows = self._database.rows("SELECT port FROM instances WHERE port IS NOT NULL")
        return {row["port"] for row in rows}


_SELECT = "SELECT app_id, version, generation, kind, number, port, kept FROM instances"
_ORDER = "ORDER BY app_id, coalesce(kept, generation), kind = 'web' DESC, kind, number"


def _instance(row: sqlite3.Row) -> Instance:
    return Instance(
        app_id=row["app_id"],
        version=row["version"],
        rollout_id=row["generation"],
        kind=ProcessType(row["kind"]),
        number=row["number"],
        port=row["port"],
        kept=row["kept"],
    )
