"""Releases, and which one is current."""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from paas.domain.apps.apps import App
from paas.domain.releases.releases import ConfigVars, Instance, Release, Status
from paas.domain.values.secret import Secret
from paas.store.database import Database, Table, parse_time
from paas.store.sealing import Sealing
from paas.store.seals import config_place


class Releases(Table):
    """The releases of the apps, their config vars sealed."""

    def __init__(self, database: Database, sealing: Sealing) -> None:
        super().__init__(database)
        self._sealing = sealing

    def add(
        self,
        app_id: int,
        *,
        slug_id: str | None,
        config: ConfigVars,
        description: str,
        user: str,
        now: datetime,
    ) -> Release:
        """Record the next version as pending."""
        plain = {name: value.reveal() for name, value in config.items()}
        with self._database.writing() as connection:
            version = connection.execute(
                "SELECT coalesce(max(version), 0) + 1 AS next FROM releases WHERE app_id = ?",
                (app_id,),
            ).fetchone()["next"]
            connection.execute(
                f"INSERT INTO releases ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    app_id,
                    version,
                    slug_id,
                    self._sealing.seal(config_place(app_id, version), json.dumps(plain)),
                    Status.PENDING,
                    description,
                    user,
                    now.isoformat(),
                ),
            )
        return Release(app_id, version, slug_id, config, Status.PENDING, description, user, now)

    def find(self, app_id: int, version: int) -> Release | None:
        row = self._database.row(
            f"SELECT {_COLUMNS} FROM releases WHERE app_id = ? AND version = ?",
            app_id,
            version,
        )
        return self._release(row) if row else None

    def current(self, app: App) -> Release | None:
        """The one that the app runs; None before the first."""
        return self.find(app.id, app.current) if app.current else None

    def of_app(self, app_id: int) -> list[Release]:
        """Newest first."""
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM releases WHERE app_id = ? ORDER BY version DESC",
            app_id,
        )
        return [self._release(row) for row in rows]

    def latest(self, app_id: int) -> Release | None:
        """The newest, whatever became of it."""
        row = self._database.row(
            f"SELECT {_COLUMNS} FROM releases WHERE app_id = ? ORDER BY version DESC LIMIT 1",
            app_id,
        )
        return self._release(row) if row else None

    def last_ended(self, app_id: int) -> Release | None:
        """The newest of those that are not pending."""
        row = self._database.row(
            f"SELECT {_COLUMNS} FROM releases WHERE app_id = ? AND status <> ? "
            "ORDER BY version DESC LIMIT 1",
            app_id,
            Status.PENDING,
        )
        return self._release(row) if row else None

    def fail(self, app_id: int, version: int) -> None:
        self._database.write(
            "UPDATE releases SET status = ? WHERE app_id = ? AND version = ?",
            Status.FAILED,
            app_id,
            version,
        )

    def _release(self, row: sqlite3.Row) -> Release:
        app_id, version = row["app_id"], row["version"]
        return Release(
            app_id=app_id,
            version=version,
            slug_id=row["slug_id"],
            config=_SealedConfig(self._sealing, config_place(app_id, version), row["config"]),
            status=Status(row["status"]),
            description=row["description"],
            user=row["user"],
            created_at=parse_time(row["created_at"]),
        )

    def make_current(
        self,
        app_id: int,
        version: int,
        rollout_id: int | None,
        keep: Sequence[Instance] = (),
        *,
        engine: str | None = None,
    ) -> None:
        """The commit point: that release has succeeded and is the app's current one.

        rollout_id: the roll-out whose instances are live from now on; None if there are none.
        keep: instances of earlier ones that it takes over. engine: what runs it; None: as before.
        """
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE releases SET status = ? WHERE app_id = ? AND version = ?",
                (Status.SUCCEEDED, app_id, version),
            )
            connection.execute(
                "UPDATE apps SET current = ?, generation = ?, engine = coalesce(?, engine) "
                "WHERE id = ?",
                (version, rollout_id, engine, app_id),
            )
            connection.executemany(
                "UPDATE instances SET kept = ? WHERE generation = ? AND kind = ? AND number = ?",
                [(rollout_id, i.rollout_id, i.kind, i.number) for i in keep],
            )


_COLUMNS = "app_id, version, slug_id, config, status, description, user, created_at"


class _SealedConfig(Mapping[str, Secret]):
    """Config vars, unsealed on first access, because most commands never use them.

    That raises PaasError if they cannot be unsealed.
    """

    def __init__(self, sealing: Sealing, place: str, stored: str) -> None:
        self._sealing = sealing
        self._place = place
        self._stored = stored
        self._opened: dict[str, Secret] | None = None

    def _vars(self) -> dict[str, Secret]:
        if self._opened is None:
            plain = json.loads(self._sealing.unseal(self._place, self._stored))
            self._opened = {name: Secret(value) for name, value in plain.items()}
        return self._opened

    def __getitem__(self, name: str) -> Secret:
        return self._vars()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._vars())

    def __len__(self) -> int:
        return len(self._vars())

    def __repr__(self) -> str:
        return Secret.MASK
