"""Users, keys, apps and formations."""

import json
import sqlite3
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from paas.domain.apps.apps import App, Key, Role, User
from paas.domain.apps.storage import Storage
from paas.domain.values.errors import PaasError
from paas.domain.values.names import AppName, BranchName, ProcessType, UserName
from paas.store.database import Database, parse_time
from paas.store.gone import note_gone


class AccountTables(Database):
    """The part of Store that is about who and what there is."""

    # Users and keys

    def add_user(self, name: UserName, role: Role, now: datetime) -> User:
        self.write(
            "INSERT INTO users VALUES (?, ?, ?) "
            "ON CONFLICT (name) DO UPDATE SET role = excluded.role",
            name,
            role,
            now.isoformat(),
        )
        return User(name, role)

    def user(self, name: UserName) -> User | None:
        row = self.row("SELECT name, role FROM users WHERE name = ?", name)
        return User(UserName(row[0]), Role(row[1])) if row else None

    def add_key(self, key: Key, now: datetime) -> None:
        try:
            self.write(
                "INSERT INTO keys VALUES (?, ?, ?, ?, ?, ?)",
                key.fingerprint,
                key.user,
                key.kind,
                key.body,
                key.comment,
                now.isoformat(),
            )
        except sqlite3.IntegrityError as error:
            raise PaasError(
                "key-taken", f"The key {key.fingerprint} is already there.", "See: paas keys"
            ) from error

    def all_keys(self) -> list[Key]:
        rows = self.rows(
            "SELECT fingerprint, user, kind, body, comment FROM keys ORDER BY user, created_at"
        )
        return [Key(r[0], UserName(r[1]), r[2], r[3], r[4]) for r in rows]

    def remove_key(self, fingerprint: str) -> None:
        self.write("DELETE FROM keys WHERE fingerprint = ?", fingerprint)

    # Apps

    def add_app(self, name: AppName, owner: UserName | None, now: datetime) -> App:
        with self.writing() as connection:
            if connection.execute("SELECT 1 FROM apps WHERE name = ?", (name,)).fetchone():
                raise PaasError("app-taken", f"The name {name!r} is taken: choose another.")
            app_id = connection.execute(
                "SELECT coalesce(max(seq), 0) + 1 FROM sqlite_sequence WHERE name = 'apps'"
            ).fetchone()[0]
            uid = _free_uid(connection, self._uids, app_id)
            connection.execute(
                "INSERT INTO apps (id, name, uid, owner, created_at) VALUES (?, ?, ?, ?, ?)",
                (app_id, name, uid, owner, now.isoformat()),
            )
        return App(app_id, name, uid, owner, None, None, None, now)

    def app(self, name: str) -> App | None:
        row = self.row(f"SELECT {_APP} FROM apps WHERE name = ?", name)  # noqa: S608
        return _app(row) if row else None

    def app_by_id(self, app_id: int) -> App | None:
        row = self.row(f"SELECT {_APP} FROM apps WHERE id = ?", app_id)  # noqa: S608
        return _app(row) if row else None

    def apps(self) -> list[App]:
        return [_app(row) for row in self.rows(f"SELECT {_APP} FROM apps ORDER BY name")]  # noqa: S608

    def rename_app(self, app_id: int, name: AppName) -> None:
        try:
            self.write("UPDATE apps SET name = ? WHERE id = ?", name, app_id)
        except sqlite3.IntegrityError as error:
            raise PaasError("app-taken", f"The name {name!r} is taken: choose another.") from error

    def set_deploy_branch(self, app_id: int, branch: BranchName | None) -> None:
        self.write("UPDATE apps SET deploy_branch = ? WHERE id = ?", branch, app_id)

    def remove_app(self, app_id: int) -> None:
        with self.writing() as connection:
            connection.execute(
                "INSERT INTO destroyed SELECT id, uid FROM apps WHERE id = ?", (app_id,)
            )
            connection.execute("DELETE FROM instances WHERE app_id = ?", (app_id,))
            connection.execute("DELETE FROM apps WHERE id = ?", (app_id,))
            note_gone(connection, "app", [app_id])

    def destroyed(self) -> list[int]:
        return [row[0] for row in self.rows("SELECT id FROM destroyed ORDER BY id")]

    def forget_destroyed(self, app_id: int) -> None:
        self.write("DELETE FROM destroyed WHERE id = ?", app_id)

    def formation(self, app_id: int) -> dict[ProcessType, int]:
        rows = self.rows("SELECT kind, quantity FROM formation WHERE app_id = ?", app_id)
        return {ProcessType(kind): quantity for kind, quantity in rows}

    def set_formation(self, app_id: int, quantities: Mapping[ProcessType, int]) -> None:
        with self.writing() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO formation VALUES (?, ?, ?)",
                [(app_id, kind, quantity) for kind, quantity in quantities.items()],
            )


_APP = (
    "id, name, uid, owner, deploy_branch, current, generation, created_at, "
    "(SELECT json_group_array(json_array(id, path)) FROM storage WHERE app_id = apps.id)"
)


def _app(row: Any) -> App:
    owner = UserName(row[3]) if row[3] else None
    branch = BranchName(row[4]) if row[4] else None
    storage = tuple(Storage(*pair) for pair in json.loads(row[8]))
    at = parse_time(row[7])
    return App(row[0], AppName(row[1]), row[2], owner, branch, row[5], row[6], at, storage)


def _free_uid(connection: sqlite3.Connection, uids: tuple[int, int], app_id: int) -> int:
    """A uid that no app has; one that a removed app had is the last to come again.

    App ids only grow, so counting with them walks through the whole range before it repeats.
    """
    first, last = uids[0], uids[1] - 1  # the last is of what sends to drains
    span = last - first + 1
    taken = "SELECT uid FROM apps UNION SELECT uid FROM destroyed"
    used = {row[0] for row in connection.execute(taken)}
    for step in range(span):
        uid = first + (app_id - 1 + step) % span
        if uid not in used:
            return uid
    raise PaasError("no-uid", f"All uids from {first} to {last} are taken by apps.")
