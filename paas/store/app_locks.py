"""Locks that keep deploys out of an app."""

from paas.domain.apps.apps import AppLock
from paas.store.database import Table, parse_time


class AppLocks(Table):
    """The locks that users set."""

    def add(self, app_id: int, lock: AppLock) -> AppLock:
        """Lock it against deploys; the lock that holds, which may be an earlier one."""
        with self._database.writing() as connection:
            connection.execute(
                "INSERT INTO app_locks (app_id, user, reason, at) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (app_id) DO NOTHING",
                (app_id, lock.user, lock.reason, lock.at.isoformat()),
            )
            return self.of_app(app_id) or lock

    def remove(self, app_id: int) -> bool:
        """Whether there was one."""
        with self._database.writing() as connection:
            found = connection.execute("DELETE FROM app_locks WHERE app_id = ?", (app_id,))
            return found.rowcount > 0

    def of_app(self, app_id: int) -> AppLock | None:
        row = self._database.row("SELECT user, reason, at FROM app_locks WHERE app_id = ?", app_id)
        return AppLock(row["user"], row["reason"], parse_time(row["at"])) if row else None
