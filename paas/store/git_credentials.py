"""What the apps have to fetch private repositories with."""

import sqlite3
from collections.abc import Iterable

from paas.domain.git.credentials import DeployKey, HostKey, HostToken
from paas.domain.values.secret import Secret
from paas.store.database import Database, Table
from paas.store.sealing import Sealing
from paas.store.seals import deploy_key_place, git_token_place


class GitCredentials(Table):
    """Tokens and keys of the apps, sealed, and the keys of the SSH servers that they know."""

    def __init__(self, database: Database, sealing: Sealing) -> None:
        super().__init__(database)
        self._sealing = sealing

    def tokens(self, app_id: int) -> list[HostToken]:
        """By host."""
        rows = self._database.rows(
            "SELECT host, user, token FROM git_tokens WHERE app_id = ? ORDER BY host", app_id
        )
        return [self._token(app_id, row) for row in rows]

    def set_token(self, app_id: int, token: HostToken) -> None:
        """In place of the former one for that host."""
        place = git_token_place(app_id, token.host)
        with self._database.writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO git_tokens (app_id, host, user, token) VALUES (?, ?, ?, ?)",
                (app_id, token.host, token.user, self._sealing.seal(place, token.token.reveal())),
            )

    def remove_token(self, app_id: int, host: str) -> None:
        self._database.write("DELETE FROM git_tokens WHERE app_id = ? AND host = ?", app_id, host)

    def key(self, app_id: int) -> DeployKey | None:
        """The app's own key, if it has one."""
        row = self._database.row("SELECT private, public FROM deploy_keys WHERE app_id = ?", app_id)
        if row is None:
            return None
        private = self._sealing.unseal(deploy_key_place(app_id), row["private"])
        return DeployKey(Secret(private), row["public"])

    def set_key(self, app_id: int, key: DeployKey) -> None:
        """In place of the former one."""
        with self._database.writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO deploy_keys (app_id, private, public) VALUES (?, ?, ?)",
                (
                    app_id,
                    self._sealing.seal(deploy_key_place(app_id), key.private.reveal()),
                    key.public,
                ),
            )

    def remove_key(self, app_id: int) -> None:
        self._database.write("DELETE FROM deploy_keys WHERE app_id = ?", app_id)

    def host_keys(self, app_id: int) -> list[HostKey]:
        """By host."""
        rows = self._database.rows(
            "SELECT host, key FROM git_host_keys WHERE app_id = ? ORDER BY host", app_id
        )
        return [HostKey(row["host"], row["key"]) for row in rows]

    def add_host_keys(self, app_id: int, keys: Iterable[HostKey]) -> None:
        """Those of hosts that are not known yet; one that is keeps its key."""
        with self._database.writing() as connection:
            connection.executemany(
                "INSERT OR IGNORE INTO git_host_keys (app_id, host, key) VALUES (?, ?, ?)",
                [(app_id, key.host, key.key) for key in keys],
            )

    def forget_host(self, app_id: int, host: str) -> None:
        self._database.write(
            "DELETE FROM git_host_keys WHERE app_id = ? AND host = ?", app_id, host
        )

    def _token(self, app_id: int, row: sqlite3.Row) -> HostToken:
        text = self._sealing.unseal(git_token_place(app_id, row["host"]), row["token"])
        return HostToken(row["host"], row["user"], Secret(text))
