"""The apps, and those that were removed but may have something left on the server."""

import json
import sqlite3
from datetime import datetime

from paas.domain.apps.apps import App
from paas.domain.apps.storage import Storage
from paas.domain.values.errors import PaasError
from paas.domain.values.names import AppName, BranchName, UserName
from paas.store.database import Database, Table, parse_time
from paas.store.gone import note_gone


class Apps(Table):
    """The apps. uids: the range that they get theirs from."""

    def __init__(self, database: Database, uids: tuple[int, int]) -> None:
        super().__init__(database)
        self._uids = uids

    def add(self, name: AppName, owner: UserName | None, now: datetime) -> App:
        """Create an app with a free uid. Raises PaasError if the name is taken."""
        with self._database.writing() as connection:
            if connection.execute("SELECT 1 FROM apps WHERE name = ?", (name,)).fetchone():
                raise _taken(name)
            app_id = connection.execute(
                "SELECT coalesce(max(seq), 0) + 1 AS id FROM sqlite_sequence WHERE name = 'apps'"
            ).fetchone()["id"]
            uid = _free_uid(connection, self._uids, app_id)
            connection.execute(
                "INSERT INTO apps (id, name, uid, owner, created_at) VALUES (?, ?, ?, ?, ?)",
                (app_id, name, uid, owner, now.isoformat()),
            )
        return App(app_id, name, uid, owner, None, None, None, now)

    def find(self, name: str) -> App | None:
        row = self._database.row(f"SELECT {_COLUMNS} FROM apps WHERE name = ?", name)  # noqa: S608
        return _app(row) if row else None

    def by_id(self, app_id: int) -> App | None:
        row = self._database.row(f"SELECT {_COLUMNS} FROM apps WHERE id = ?", app_id)  # noqa: S608
        return _app(row) if row else None

    def all(self) -> list[App]:
        """By name."""
        rows = self._database.rows(f"SELECT {_COLUMNS} FROM apps ORDER BY name")  # noqa: S608
        return [_app(row) for row in rows]

    def rename(self, app_id: int, name: AppName) -> None:
        """Raises PaasError if the name is taken."""
        try:
            self._database.write("UPDATE apps SET name = ? WHERE id = ?", name, app_id)
        except sqlite3.IntegrityError as error:
            raise _taken(name) from error

    def set_deploy_branch(self, app_id: int, branch: BranchName | None) -> None:
        self._database.write("UPDATE apps SET deploy_branch = ? WHERE id = ?", branch, app_id)

    def remove(self, app_id: int) -> None:
        """Delete the app and all its rows, except the record that it was removed: see destroyed.

        Until that is done no other app gets its uid.
        """
        with self._database.writing() as connection:
            connection.execute(
                "INSERT INTO destroyed (id, uid) SELECT id, uid FROM apps WHERE id = ?", (app_id,)
            )
            connection.execute("DELETE FROM instances WHERE app_id = ?", (app_id,))
            connection.execute("DELETE FROM apps WHERE id = ?", (app_id,))
            note_gone(connection, "app", [app_id])

    def destroyed(self) -> list[int]:
        """The ids of apps that were removed, of which something may be left on the server."""
        return [row["id"] for row in self._database.rows("SELECT id FROM destroyed ORDER BY id")]

    def forget_destroyed(self, app_id: int) -> None:
        """Record that nothing is left of it."""
        self._database.write("DELETE FROM destroyed WHERE id = ?", app_id)


_COLUMNS = (
    "id, name, uid, owner, deploy_branch, current, generation, created_at, "
    "(SELECT json_group_array(json_array(id, path)) FROM storage WHERE app_id = apps.id) AS storage"
)


def _app(row: sqlite3.Row) -> App:
    return App(
        id=row["id"],
        name=AppName(row["name"]),
        uid=row["uid"],
        owner=UserName(row["owner"]) if row["owner"] else None,
        deploy_branch=BranchName(row["deploy_branch"]) if row["deploy_branch"] else None,
        current=row["current"],
        rollout_id=row["generation"],
        created_at=parse_time(row["created_at"]),
        storage=tuple(Storage(*pair) for pair in json.loads(row["storage"])),
    )


def _taken(name: AppName) -> PaasError:
    return PaasError("app-taken", f"The name {name!r} is taken: choose another.")


def _free_uid(connection: sqlite3.Connection, uids: tuple[int, int], app_id: int) -> int:
    """A uid that no app has; one that a removed app had is reused last.

    App ids only grow, so counting with them walks through the whole range before it repeats.
    """
    first, last = uids[0], uids[1] - 1  # the last is for the process that sends to drains
    span = last - first + 1
    taken = "SELECT uid FROM apps UNION SELECT uid FROM destroyed"
    used = {row["uid"] for row in connection.execute(taken)}
    for step in range(span):
        uid = first + (app_id - 1 + step) % span
        if uid not in used:
            return uid
    raise PaasError("no-uid", f"All uids from {first} to {last} are taken by apps.")
