"""The instances that run, or that a roll-out is about to start."""

import sqlite3
from collections.abc import Sequence

from paas.domain.releases.artifacts import SHARED_ADDRESSES
from paas.domain.releases.releases import Instance
from paas.domain.server.allocations import Allocation, Holder, Kind, instance_holder
from paas.domain.values.errors import PaasError
from paas.domain.values.names import ProcessType
from paas.store.allocations import Allocations
from paas.store.database import Database, Table


class Instances(Table):
    """The instances of the apps. allocations: who has which port."""

    def __init__(self, database: Database, allocations: Allocations) -> None:
        super().__init__(database)
        self._allocations = allocations

    def next_rollout_id(self) -> int:
        """A number that was never used before, for a new group of instances."""
        with self._database.writing() as connection:
            rollout_id = connection.execute("INSERT INTO generations DEFAULT VALUES").lastrowid
            connection.execute("DELETE FROM generations WHERE id < ?", (rollout_id,))
        assert rollout_id is not None
        return rollout_id

    def add(self, instances: Sequence[Instance]) -> None:
        """Record instances and their ports before they are started.

        A container of this machine has an address of its own, and all ports of that.

        Raises PaasError if a port is taken, which happens only to instances that run already.
        """
        rows = [
            (i.app_id, i.version, i.rollout_id, i.kind, i.number, i.port, i.address, i.engine)
            for i in instances
        ]
        with self._database.writing() as connection:
            for instance in instances:
                if instance.port is not None and instance.engine in SHARED_ADDRESSES:
                    self._give_port(instance, instance.port)
            connection.executemany(
                "INSERT INTO instances (app_id, version, generation, kind, number, port, address, "
                "engine) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                rows,
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
            for instance in instances:
                self._allocations.free(instance_holder(instance.id))

    def set_port(self, instance: Instance) -> None:
        """Record another port of a container, which has all ports of its address to itself."""
        self._database.write(
            "UPDATE instances SET port = ? WHERE generation = ? AND kind = ? AND number = ?",
            instance.port,
            instance.rollout_id,
            instance.kind,
            instance.number,
        )

    def _give_port(self, instance: Instance, port: int) -> None:
        holder = self._allocations.holder(Kind.PORT, port)
        if holder is not None:
            raise self._taken(instance, port, holder)
        self._allocations.record(Allocation(Kind.PORT, port, instance_holder(instance.id)))

    def _taken(self, instance: Instance, port: int, holder: Holder) -> PaasError:
        """It names the app that holds the port, if that is there."""
        name, other = self._app_name(instance.app_id), str(holder)
        moving = name
        row = self._database.row(
            "SELECT app_id FROM instances WHERE port = ? AND engine IN ('native', 'swarm')", port
        )
        if row is not None:
            moving = self._app_name(row["app_id"])
            other = f"an instance of {moving}"
        return PaasError(
            "port-taken",
            f"{instance.label} of {name} cannot be recorded with port {port}: in the database that "
            f"is the port of {other}.",
            f"Give {moving} another port with: paas ps:restart -a {moving}; then: paas doctor "
            "--fix",
        )

    def _app_name(self, app_id: int) -> str:
        row = self._database.row("SELECT name FROM apps WHERE id = ?", app_id)
        return str(row["name"]) if row else f"app {app_id}"


_SELECT = (
    "SELECT app_id, version, generation, kind, number, port, kept, address, engine FROM instances"
)
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
        address=row["address"],
        engine=row["engine"],
    )
