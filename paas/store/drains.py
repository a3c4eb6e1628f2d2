"""Where the apps' logs are forwarded to."""

import sqlite3

from paas.domain.logs.drains import Drain
from paas.domain.values.secret import Secret
from paas.store.database import Database, Table
from paas.store.sealing import Sealing
from paas.store.seals import drain_place


class Drains(Table):
    """The drains of the apps, their URLs sealed."""

    def __init__(self, database: Database, sealing: Sealing) -> None:
        super().__init__(database)
        self._sealing = sealing

    def add(self, drain: Drain) -> None:
        place = drain_place(drain.token, drain.app_id)
        with self._database.writing() as connection:
            url = self._sealing.seal(place, drain.url.reveal())
            connection.execute(
                "INSERT INTO drains (token, app_id, url) VALUES (?, ?, ?)",
                (drain.token, drain.app_id, url),
            )

    def of_app(self, app_id: int) -> list[Drain]:
        """In the order in which they were added."""
        rows = self._database.rows(f"{_SELECT} WHERE app_id = ? ORDER BY rowid", app_id)
        return [self._drain(row) for row in rows]

    def all(self) -> list[Drain]:
        """Of all apps, in the order in which they were added."""
        return [self._drain(row) for row in self._database.rows(f"{_SELECT} ORDER BY rowid")]

    def remove(self, token: str) -> None:
        self._database.write("DELETE FROM drains WHERE token = ?", token)

    def _drain(self, row: sqlite3.Row) -> Drain:
        token, app_id = row["token"], row["app_id"]
        url = self._sealing.unseal(drain_place(token, app_id), row["url"])
        return Drain(token, app_id, Secret(url))


_SELECT = "SELECT token, app_id, url FROM drains"
