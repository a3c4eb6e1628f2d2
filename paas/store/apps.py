"""The apps, and those that were removed but may have something left on the server."""

import json
import sqlite3
from datetime import datetime

from paas.domain.apps.apps import App
from paas.domain.apps.storage import Storage
from paas.domain.cluster.scheduling import Scheduling
from paas.domain.people.access import Grant, Holder
from paas.domain.people.permissions import AppRole
from paas.domain.runtime.resources import Resource, SetLimit
from paas.domain.server.allocations import Kind, app_holder
from paas.domain.values.errors import PaasError
from paas.domain.values.names import AppName, BranchName, ProcessType
from paas.store.allocations import Allocations
from paas.store.database import Database, Table, parse_time
from paas.store.gone import note_gone
from paas.store.grants import OF_APP, Grants


class Apps(Table):
    """The apps. allocations: where they get their uids from. grants: where their owners are."""

    def __init__(self, database: Database, allocations: Allocations, grants: Grants) -> None:
        super().__init__(database)
        self._allocations = allocations
        self._grants = grants

    def add(self, name: AppName, owner: Holder | None, now: datetime) -> App:
        """Create an app with a free uid. Raises PaasError if the name is taken."""
        with self._database.writing() as connection:
            if connection.execute("SELECT 1 FROM apps WHERE name = ?", (name,)).fetchone():
                raise _taken(name)
            app_id = connection.execute(
                "SELECT coalesce(max(seq), 0) + 1 AS id FROM sqlite_sequence WHERE name = 'apps'"
            ).fetchone()["id"]
            uid = self._allocations.give_uid(app_holder(app_id))
            connection.execute(
                "INSERT INTO apps (id, name, uid, created_at) VALUES (?, ?, ?, ?)",
                (app_id, name, uid, now.isoformat()),
            )
            grants = () if owner is None else (Grant(owner, AppRole.OWNER),)
            for grant in grants:
                self._grants.put(app_id, grant, now)
        return App(app_id, name, uid, None, None, None, now, grants=grants)

    def find(self, name: str) -> App | None:
        row = self._database.row(f"SELECT {_COLUMNS} FROM apps WHERE name = ?", name)
        return _app(row) if row else None

    def by_id(self, app_id: int) -> App | None:
        row = self._database.row(f"SELECT {_COLUMNS} FROM apps WHERE id = ?", app_id)
        return _app(row) if row else None

    def all(self) -> list[App]:
        """By name."""
        rows = self._database.rows(f"SELECT {_COLUMNS} FROM apps ORDER BY name")
        return [_app(row) for row in rows]

    def owned_by(self, owner: Holder) -> set[int]:
        """The ids of the apps of which it is the first owner, as `App.owner` has it."""
        rows = self._database.rows(_OWNED_BY, owner.user, owner.team)
        return {row["id"] for row in rows}

    def rename(self, app_id: int, name: AppName) -> None:
        """Raises PaasError if the name is taken."""
        try:
            self._database.write("UPDATE apps SET name = ? WHERE id = ?", name, app_id)
        except sqlite3.IntegrityError as error:
            raise _taken(name) from error

    def set_deploy_branch(self, app_id: int, branch: BranchName | None) -> None:
        self._database.write("UPDATE apps SET deploy_branch = ? WHERE id = ?", branch, app_id)

    def set_user_namespaces(self, app_id: int, *, allowed: bool) -> None:
        self._database.write("UPDATE apps SET user_namespaces = ? WHERE id = ?", allowed, app_id)

    def set_read_only(self, app_id: int, *, read_only: bool) -> None:
        self._database.write("UPDATE apps SET read_only = ? WHERE id = ?", read_only, app_id)

    def set_scheduling(self, app_id: int, scheduling: Scheduling) -> None:
        self._database.write(
            "INSERT OR REPLACE INTO scheduling (app_id, on_nodes, spread, constraints) "
            "VALUES (?, ?, ?, ?)",
            *(app_id, scheduling.on_nodes, scheduling.spread, json.dumps(scheduling.constraints)),
        )

    def remove(self, app_id: int) -> None:
        """Delete the app and all its rows, except the record that it was removed: see destroyed.

        Until nothing is left of it nobody else gets its uid, or the ports of its instances.
        """
        with self._database.writing() as connection:
            connection.execute(
                "INSERT INTO destroyed (id, uid) SELECT id, uid FROM apps WHERE id = ?", (app_id,)
            )
            connection.execute(
                "UPDATE allocations SET holder = ?, holder_id = ? WHERE kind = ? "
                "AND number IN (SELECT port FROM instances "
                "WHERE app_id = ? AND engine IN ('native', 'swarm'))",
                (app_holder(app_id).what, app_holder(app_id).id, Kind.PORT, app_id),
            )
            connection.execute("DELETE FROM instances WHERE app_id = ?", (app_id,))
            connection.execute("DELETE FROM apps WHERE id = ?", (app_id,))
            note_gone(connection, "app", [app_id])

    def destroyed(self) -> list[int]:
        """The ids of apps that were removed, of which something may be left on the server."""
        return [row["id"] for row in self._database.rows("SELECT id FROM destroyed ORDER BY id")]

    def forget_destroyed(self, app_id: int) -> None:
        """Record that nothing is left of it."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM destroyed WHERE id = ?", (app_id,))
            self._allocations.free(app_holder(app_id))


_COLUMNS = ", ".join(
    (
        "id, name, uid, deploy_branch, current, generation, created_at, engine, user_namespaces, "
        "read_only",
        "(SELECT json_group_array(json_array(id, path)) FROM storage WHERE app_id = apps.id) "
        "AS storage",
        "(SELECT json_group_array(json_array(kind, resource, amount)) FROM (SELECT * FROM "
        "resource_limits WHERE app_id = apps.id ORDER BY kind, resource)) AS limits",
        f"{OF_APP} AS grants",
        "(SELECT parent_id FROM previews WHERE app_id = apps.id) AS preview_of",
        "(SELECT json_array(on_nodes, spread, json(constraints)) FROM scheduling "
        "WHERE app_id = apps.id) AS scheduling",
    )
)


# A preview has the owner of the app that it is a preview of.
_OWNED_BY = (
    "WITH own AS (SELECT app_id FROM grants AS one WHERE role = 'owner' AND (user = ? OR team = ?) "
    "AND NOT EXISTS (SELECT 1 FROM grants AS former WHERE former.app_id = one.app_id "
    "AND former.role = 'owner' AND former.id < one.id)) "
    "SELECT app_id AS id FROM own "
    "WHERE NOT EXISTS (SELECT 1 FROM previews WHERE previews.app_id = own.app_id "
    "AND parent_id IS NOT NULL) "
    "UNION SELECT app_id FROM previews WHERE parent_id IN own"
)


def _app(row: sqlite3.Row) -> App:
    return App(
        id=row["id"],
        name=AppName(row["name"]),
        uid=row["uid"],
        deploy_branch=BranchName(row["deploy_branch"]) if row["deploy_branch"] else None,
        current=row["current"],
        rollout_id=row["generation"],
        created_at=parse_time(row["created_at"]),
        storage=tuple(Storage(*pair) for pair in json.loads(row["storage"])),
        engine=row["engine"],
        limits=tuple(_limit(*each) for each in json.loads(row["limits"])),
        user_namespaces=bool(row["user_namespaces"]),
        read_only=bool(row["read_only"]),
        grants=tuple(Grant(Holder(who), AppRole(role)) for who, role in json.loads(row["grants"])),
        scheduling=_scheduling(row["scheduling"]),
        preview_of=row["preview_of"],
    )


def _scheduling(text: str | None) -> Scheduling:
    if text is None:
        return Scheduling()
    on_nodes, spread, constraints = json.loads(text)
    return Scheduling(bool(on_nodes), spread, tuple((key, value) for key, value in constraints))


def _limit(kind: str, resource: str, amount: int) -> SetLimit:
    return SetLimit(ProcessType(kind) if kind else None, Resource(resource), amount)


def _taken(name: AppName) -> PaasError:
    return PaasError("app-taken", f"The name {name!r} is taken: choose another.")
