"""The datastores, and what they are attached to."""

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from paas.domain.datastores.datastores import (
    DOMAIN,
    Attachment,
    Client,
    Datastore,
    DatastoreState,
    Following,
)
from paas.domain.datastores.kinds import AttachmentName, DatastoreKind
from paas.domain.datastores.names import DatastoreName, variable
from paas.domain.datastores.plans import PLANS, Plan
from paas.domain.releases.artifacts import SWARM
from paas.domain.releases.releases import ConfigVars
from paas.domain.server.allocations import datastore_holder, pooler_holder
from paas.domain.values.errors import PaasError
from paas.domain.values.secret import Secret
from paas.store.allocations import Allocations
from paas.store.database import Database, Table, parse_time
from paas.store.gone import note_gone
from paas.store.sealing import Sealing
from paas.store.seals import datastore_place, external_place


class Datastores(Table):
    """The datastores of the server, their passwords sealed, and their attachments."""

    def __init__(self, database: Database, allocations: Allocations, sealing: Sealing) -> None:
        super().__init__(database)
        self._allocations = allocations
        self._sealing = sealing

    def add(
        self,
        name: DatastoreName,
        kind: DatastoreKind,
        version: str,
        plan: Plan,
        *,
        app_id: int,
        password: Secret,
        now: datetime,
        is_free: Callable[[int], bool],
        settings: Mapping[str, str] = MappingProxyType({}),
        leader: Datastore | None = None,
    ) -> Datastore:
        """Record one as pending, with a uid and a port. Raises PaasError if the name is taken.

        is_free: whether nobody on this machine listens on a port. leader: the one that it follows,
        at which it logs in with that password.
        """
        with self._database.writing() as connection:
            if connection.execute("SELECT 1 FROM datastores WHERE name = ?", (name,)).fetchone():
                raise PaasError("datastore-taken", f"There is already a datastore {name}.")
            uid = self._allocations.give_uid(datastore_holder(name))
            port = self._allocations.give_service_port(datastore_holder(name), is_free)
            sealed = self._sealing.seal(datastore_place(name), password.reveal())
            connection.execute(
                "INSERT INTO datastores "
                "(name, kind, version, plan, app_id, uid, port, state, password, created_at, "
                "settings, leader_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(name, kind, version, plan.name, app_id, uid, port),
                    *(DatastoreState.PENDING, sealed, now.isoformat()),
                    json.dumps(dict(settings), sort_keys=True),
                    leader.id if leader is not None else None,
                ),
            )
        found = self.find(name)
        assert found is not None
        return found

    def find(self, name: str) -> Datastore | None:
        row = self._database.row(f"{_SELECT} WHERE name = ?", name)
        return self._datastore(row) if row else None

    def by_id(self, id: int) -> Datastore | None:
        row = self._database.row(f"{_SELECT} WHERE id = ?", id)
        return self._datastore(row) if row else None

    def followers(self, leader_id: int) -> list[Datastore]:
        """Those that follow it, by number."""
        rows = self._database.rows(f"{_SELECT} WHERE leader_id = ? ORDER BY id", leader_id)
        return [self._datastore(row) for row in rows]

    def end_following(self, datastore: Datastore, now: datetime) -> None:
        """Record that it is one of its own from now on, and serves.

        The apps that have it get another URL by that, as by a change of its login.
        """
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE datastores SET leader_id = NULL, state = ?, created_at = ? WHERE id = ?",
                (DatastoreState.READY, now.isoformat(), datastore.id),
            )
            connection.execute(
                "INSERT OR IGNORE INTO login_changes (datastore_id) VALUES (?)", (datastore.id,)
            )
            connection.execute(
                "INSERT OR IGNORE INTO former_login_apps (datastore_id, app_id) "
                "SELECT DISTINCT datastore_id, app_id FROM attachments WHERE datastore_id = ?",
                (datastore.id,),
            )

    def all(self) -> list[Datastore]:
        """By number."""
        return [self._datastore(row) for row in self._database.rows(f"{_SELECT} ORDER BY id")]

    def of_app(self, app_id: int) -> list[Datastore]:
        """Those that belong to an app, by number; it may have others attached."""
        rows = self._database.rows(f"{_SELECT} WHERE app_id = ? ORDER BY id", app_id)
        return [self._datastore(row) for row in rows]

    def owners(self) -> dict[int, int]:
        """The apps that they belong to, by the ids of the datastores."""
        rows = self._database.rows("SELECT id, app_id FROM datastores")
        return {row["id"]: row["app_id"] for row in rows}

    def set_state(self, name: DatastoreName, state: DatastoreState) -> None:
        self._database.write("UPDATE datastores SET state = ? WHERE name = ?", state, name)

    def set_setting(self, name: DatastoreName, key: str, value: str | None) -> None:
        """Record what a user has chosen; None: no longer anything."""
        with self._database.writing() as connection:
            row = connection.execute(
                "SELECT settings FROM datastores WHERE name = ?", (name,)
            ).fetchone()
            if row is not None:
                settings = {**json.loads(row["settings"]), key: value}
                kept = {key: value for key, value in settings.items() if value is not None}
                connection.execute(
                    "UPDATE datastores SET settings = ? WHERE name = ?",
                    (json.dumps(kept, sort_keys=True), name),
                )

    def set_version(self, name: DatastoreName, version: str) -> None:
        """Record which major version its files have; what was archived before counts no longer."""
        with self._database.writing() as connection:
            connection.execute("UPDATE datastores SET version = ? WHERE name = ?", (version, name))
            connection.execute(
                "DELETE FROM archive_runs WHERE datastore_id = "
                "(SELECT id FROM datastores WHERE name = ?)",
                (name,),
            )

    def set_plan(self, name: DatastoreName, plan: Plan) -> None:
        self._database.write("UPDATE datastores SET plan = ? WHERE name = ?", plan.name, name)

    def give_up(self, datastores: Sequence[Datastore]) -> None:
        """Record that these are being removed, whatever they are attached to."""
        with self._database.writing() as connection:
            for one in datastores:
                connection.execute("DELETE FROM attachments WHERE datastore_id = ?", (one.id,))
                self.set_state(one.name, DatastoreState.REMOVED)

    def forget(self, name: DatastoreName) -> None:
        """Record that nothing is left of it; its uid and port are free."""
        with self._database.writing() as connection:
            row = connection.execute(
                "DELETE FROM datastores WHERE name = ? RETURNING id", (name,)
            ).fetchone()
            if row is not None:
                note_gone(connection, "datastore", [row["id"]])
            self._allocations.free(datastore_holder(name))
            self._allocations.free(pooler_holder(name))

    def attach(self, attachments: Sequence[Attachment]) -> None:
        """Attach under these names. Raises PaasError if an app has one of that name."""
        with self._database.writing() as connection:
            for one in attachments:
                try:
                    connection.execute(
                        "INSERT INTO attachments "
                        "(app_id, name, scheme, pooled, datastore_id, external_id) "
                        "VALUES (?, ?, ?, ?, (SELECT id FROM datastores WHERE name = ?), "
                        "(SELECT id FROM externals WHERE name = ?))",
                        (
                            *(one.app_id, one.name, one.scheme, int(one.pooled)),
                            *(one.datastore, one.datastore),
                        ),
                    )
                except sqlite3.IntegrityError as error:
                    raise PaasError(
                        "attachment-taken", f"The app already has an attachment {one.name}."
                    ) from error

    def detach(self, attachments: Sequence[Attachment]) -> None:
        """Undo that; no error if there is none."""
        with self._database.writing() as connection:
            connection.executemany(
                "DELETE FROM attachments WHERE app_id = ? AND name = ?",
                [(one.app_id, one.name) for one in attachments],
            )

    def exchange(self, removed: Sequence[Attachment], added: Sequence[Attachment]) -> None:
        """Detach and attach, or neither."""
        with self._database.writing():
            self.detach(removed)
            self.attach(added)

    def attachments(self, *, app_id: int | None = None) -> list[Attachment]:
        """Those of an app, or all; in the order in which they were attached."""
        where, values = ("", ()) if app_id is None else ("WHERE a.app_id = ?", (app_id,))
        rows = self._database.rows(
            "SELECT a.app_id, a.name, a.scheme, a.pooled, "
            "coalesce(d.name, e.name) AS datastore "
            "FROM attachments a LEFT JOIN datastores d ON d.id = a.datastore_id "
            f"LEFT JOIN externals e ON e.id = a.external_id {where} ORDER BY a.rowid",
            *values,
        )
        return [
            Attachment(
                row["app_id"],
                AttachmentName(row["name"]),
                DatastoreName(row["datastore"]),
                row["scheme"],
                pooled=bool(row["pooled"]),
            )
            for row in rows
        ]

    def attached_vars(self, app_id: int) -> ConfigVars:
        """The config vars that an app has of its attachments, with their values as of now."""
        rows = self._database.rows(
            f"SELECT a.name AS attachment, a.scheme, {_PORT} AS attached_port, d.* "
            f"FROM {_ATTACHED} WHERE a.app_id = ? ORDER BY a.rowid",
            app_id,
        )
        elsewhere = self._database.rows(
            "SELECT a.name AS attachment, e.name, e.url FROM attachments a "
            "JOIN externals e ON e.id = a.external_id WHERE a.app_id = ? ORDER BY a.rowid",
            app_id,
        )
        values: dict[str, Secret] = {}
        for row in rows:
            one = self._datastore(row)
            scheme = row["scheme"] or one.kind.traits.scheme
            values[variable(row["attachment"])] = one.url_with(scheme, row["attached_port"])
        for row in elsewhere:
            url = self._sealing.unseal(external_place(row["name"]), row["url"])
            values[variable(row["attachment"])] = Secret(url)
        return values

    def clients(self) -> list[Client]:
        """Which apps may reach which datastores; which poolers, by their datastore's uid; and which
        followers their leader.
        """
        rows = self._database.rows(
            f"SELECT DISTINCT apps.uid, d.name, {_PORT} AS port FROM {_ATTACHED} "
            "JOIN apps ON apps.id = a.app_id UNION SELECT d.uid, d.name, d.port "
            "FROM poolers p JOIN datastores d ON d.id = p.datastore_id "
            "UNION SELECT f.uid, d.name, d.port "
            "FROM datastores f JOIN datastores d ON d.id = f.leader_id ORDER BY 1, 3"
        )
        return [Client(row["uid"], f"{row['name']}.{DOMAIN}", row["port"]) for row in rows]

    def node_ports(self, coming: int | None = None) -> tuple[int, ...]:
        """The ports of the PostgreSQL datastores that are attached to apps on nodes.

        Not those of poolers. coming: the id of an app that will be there.
        """
        rows = self._database.rows(
            f"SELECT DISTINCT d.port FROM {_ATTACHED} "
            "WHERE NOT a.pooled AND d.kind = ? AND (a.app_id = ? "
            "OR a.app_id IN (SELECT app_id FROM scheduling WHERE on_nodes) "
            "OR a.app_id IN (SELECT app_id FROM instances WHERE engine = ?)) ORDER BY 1",
            *(DatastoreKind.POSTGRESQL, coming, SWARM),
        )
        return tuple(row["port"] for row in rows)

    def _datastore(self, row: sqlite3.Row) -> Datastore:
        name = DatastoreName(row["name"])
        password = Secret(self._sealing.unseal(datastore_place(name), row["password"]))
        login_number, following = row["login_number"], None
        if row["leader_id"] is not None:
            leader = self.by_id(row["leader_id"])
            assert leader is not None
            following = Following(leader, password)
            password, login_number = leader.password, leader.login_number
        return Datastore(
            id=row["id"],
            name=name,
            kind=DatastoreKind(row["kind"]),
            version=row["version"],
            plan=PLANS[row["plan"]],
            app_id=row["app_id"],
            uid=row["uid"],
            port=row["port"],
            state=DatastoreState(row["state"]),
            password=password,
            created_at=parse_time(row["created_at"]),
            settings=json.loads(row["settings"]),
            login_number=login_number,
            following=following,
        )


_SELECT = "SELECT * FROM datastores"
_ATTACHED = (
    "attachments a JOIN datastores d ON d.id = a.datastore_id "
    "LEFT JOIN poolers p ON p.datastore_id = d.id"
)
_PORT = "CASE WHEN a.pooled THEN p.port ELSE d.port END"
