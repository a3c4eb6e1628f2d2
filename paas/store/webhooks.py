"""Deploy on push: one webhook for each app, its secret sealed."""

import sqlite3
from datetime import datetime

from paas.domain.git.events import Forge
from paas.domain.git.sources import GitSource
from paas.domain.git.webhooks import LastPush, Webhook
from paas.domain.values.names import BranchName, UserName
from paas.domain.values.secret import Secret
from paas.store.database import Database, Table
from paas.store.sealing import Sealing
from paas.store.seals import webhook_place


class Webhooks(Table):
    """The webhooks, and which of the pushes that came were deployed."""

    def __init__(self, database: Database, sealing: Sealing) -> None:
        super().__init__(database)
        self._sealing = sealing

    def of_app(self, app_id: int) -> Webhook | None:
        return self._webhook(self._database.row("SELECT * FROM webhooks WHERE app_id = ?", app_id))

    def by_id(self, id: str) -> Webhook | None:
        return self._webhook(self._database.row("SELECT * FROM webhooks WHERE id = ?", id))

    def set(self, webhook: Webhook) -> None:
        """In place of the app's former one; nothing has come to it yet."""
        with self._database.writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO webhooks (app_id, id, secret, url, branch, user) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                (
                    webhook.app_id,
                    webhook.id,
                    self._sealing.seal(webhook_place(webhook.app_id), webhook.secret.reveal()),
                    webhook.source.url,
                    webhook.branch,
                    webhook.user,
                ),
            )

    def rotate(self, webhook: Webhook) -> None:
        """Another secret and user; what has come to it stays."""
        with self._database.writing() as connection:
            place = webhook_place(webhook.app_id)
            connection.execute(
                "UPDATE webhooks SET secret = ?, user = ? WHERE id = ?",
                (
                    self._sealing.seal(place, webhook.secret.reveal()),
                    webhook.user,
                    webhook.id,
                ),
            )

    def remove(self, app_id: int) -> None:
        self._database.write("DELETE FROM webhooks WHERE app_id = ?", app_id)

    def want(self, id: str, at: datetime, forge: Forge, commit: str) -> None:
        """A push has come."""
        self._database.write(
            "UPDATE webhooks SET wanted = wanted + 1, last_at = ?, last_forge = ?, "
            "last_commit = ?, last_result = '' WHERE id = ?",
            at.isoformat(),
            forge,
            commit,
            id,
        )

    def finish(self, id: str, wanted: int, result: str) -> None:
        """A deploy has taken in so many pushes. result: kept unless another push came since."""
        self._database.write(
            "UPDATE webhooks SET done = ?, "
            "last_result = CASE WHEN wanted = ? THEN ? ELSE last_result END WHERE id = ?",
            wanted,
            wanted,
            result,
            id,
        )

    def _webhook(self, row: sqlite3.Row | None) -> Webhook | None:
        if row is None:
            return None
        last = None
        if row["last_at"] is not None:
            last = LastPush(
                datetime.fromisoformat(row["last_at"]),
                Forge(row["last_forge"]),
                row["last_commit"],
                row["last_result"],
            )
        branch = BranchName(row["branch"])
        return Webhook(
            row["id"],
            row["app_id"],
            GitSource(row["url"], branch),
            branch,
            None if row["user"] is None else UserName(row["user"]),
            Secret(self._sealing.unseal(webhook_place(row["app_id"]), row["secret"])),
            row["wanted"],
            row["done"],
            last,
        )
