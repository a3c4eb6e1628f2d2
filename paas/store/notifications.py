"""Which places are notified of what, their URLs sealed."""

import json
import sqlite3
from datetime import datetime

from paas.domain.notifications.targets import Target
from paas.domain.values.secret import Secret
from paas.store.database import Database, Table
from paas.store.sealing import Sealing
from paas.store.seals import notification_place


class Notifications(Table):
    """The places that are notified; each url holds the secret that signs, too."""

    def __init__(self, database: Database, sealing: Sealing) -> None:
        super().__init__(database)
        self._sealing = sealing

    def add(self, target: Target) -> None:
        both = json.dumps([target.url.reveal(), target.secret.reveal()])
        with self._database.writing() as connection:
            connection.execute(
                "INSERT INTO notifications (id, app_id, url, events, created_at) "
                "VALUES (?, ?, ?, ?, ?)",
                (
                    target.id,
                    target.app_id,
                    self._sealing.seal(notification_place(target.id), both),
                    " ".join(target.events),
                    target.created_at.isoformat(),
                ),
            )

    def of_app(self, app_id: int | None) -> list[Target]:
        """In the order in which they were added. None: those of the server."""
        return [one for one in self.all() if one.app_id == app_id]

    def all(self) -> list[Target]:
        """In the order in which they were added."""
        rows = self._database.rows("SELECT * FROM notifications ORDER BY rowid")
        return [self._target(row) for row in rows]

    def wishes(self) -> list[tuple[str, int | None, tuple[str, ...]]]:
        """Id, app and events of each, without opening what is sealed."""
        rows = self._database.rows("SELECT id, app_id, events FROM notifications ORDER BY rowid")
        return [(row["id"], row["app_id"], tuple(row["events"].split())) for row in rows]

    def remove(self, id: str) -> None:
        self._database.write("DELETE FROM notifications WHERE id = ?", id)

    def _target(self, row: sqlite3.Row) -> Target:
        url, secret = json.loads(self._sealing.unseal(notification_place(row["id"]), row["url"]))
        return Target(
            row["id"],
            row["app_id"],
            Secret(url),
            Secret(secret),
            tuple(row["events"].split()),
            datetime.fromisoformat(row["created_at"]),
        )
