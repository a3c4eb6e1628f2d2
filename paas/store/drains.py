"""Where the apps' logs are forwarded to."""

import sqlite3

from paas.domain.logs.drains import Drain
from paas.domain.values.secret import Secret
from paas.store.database import Table


class Drains(Table):
    """The drains of the apps."""

    def add(self, drain: Drain) -> None:
        self._database.write(
            "INSERT INTO drains (token, app_id, url) VALUES (?, ?, ?)",
            drain.token,
            drain.app_id,
            drain.url.reveal(),
        )

    def of_app(self, app_id: int) -> list[Drain]:
        """In the order in which they were added."""
        rows = self._database.rows(f"{_SELECT} WHERE app_id = ? ORDER BY rowid", app_id)
        return [_drain(row) for row in rows]

    def all(self) -> list[Drain]:
        """Of all apps, in the order in which they were added."""
        return [_drain(row) for row in self._database.rows(f"{_SELECT} ORDER BY rowid")]

    def remove(self, token: str) -> None:
        self._database.write("DELETE FROM drains WHERE token = ?", token)


_SELECT = "SELECT token, app_id, url FROM drains"


def _drain(row: sqlite3.Row) -> Drain:
    return Drain(row["token"], row["app_id"], Secret(row["url"]))
