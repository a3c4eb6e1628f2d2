"""Quotas that differ from the server's defaults."""

from collections.abc import Mapping

from paas.domain.server.quotas import Quota
from paas.domain.values.names import UserName
from paas.store.database import Table


class Quotas(Table):
    """Quotas of users, which also apply to each of their apps, and quotas of single apps."""

    def of_user(self, user: UserName) -> dict[Quota, int]:
        rows = self._database.rows("SELECT name, value FROM user_quotas WHERE user = ?", user)
        return {Quota(row["name"]): row["value"] for row in rows}

    def of_app(self, app_id: int) -> dict[Quota, int]:
        rows = self._database.rows("SELECT name, value FROM app_quotas WHERE app_id = ?", app_id)
        return {Quota(row["name"]): row["value"] for row in rows}

    def set_of_user(self, user: UserName, values: Mapping[Quota, int | None]) -> None:
        """None removes one; others stay."""
        self._set(
            "DELETE FROM user_quotas WHERE user = ? AND name = ?",
            "INSERT INTO user_quotas (user, name, value) VALUES (?, ?, ?)",
            user,
            values,
        )

    def set_of_app(self, app_id: int, values: Mapping[Quota, int | None]) -> None:
        """None removes one; others stay."""
        self._set(
            "DELETE FROM app_quotas WHERE app_id = ? AND name = ?",
            "INSERT INTO app_quotas (app_id, name, value) VALUES (?, ?, ?)",
            app_id,
            values,
        )

    def _set(
        self, delete: str, insert: str, whose: UserName | int, values: Mapping[Quota, int | None]
    ) -> None:
        with self._database.writing() as connection:
            for quota, value in values.items():
                connection.execute(delete, (whose, quota))
                if value is not None:
                    connection.execute(insert, (whose, quota, value))
