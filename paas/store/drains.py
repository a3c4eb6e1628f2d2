"""Where the apps' logs are forwarded to."""

from paas.domain.logs.drains import Drain
from paas.domain.values.secret import Secret
from paas.store.database import Database


class DrainTables(Database):
    """The part of Store that is about drains."""

    def add_drain(self, drain: Drain) -> None:
        self.write(
            "INSERT INTO drains (token, app_id, url) VALUES (?, ?, ?)",
            drain.token,
            drain.app_id,
            drain.url.reveal(),
        )

    def drains(self, app_id: int | None = None) -> list[Drain]:
        rows = self.rows(
            "SELECT token, app_id, url FROM drains WHERE app_id = coalesce(?, app_id) "
            "ORDER BY rowid",
            app_id,
        )
        return [Drain(token, app, Secret(url)) for token, app, url in rows]

    def remove_drain(self, token: str) -> None:
        self.write("DELETE FROM drains WHERE token = ?", token)
