"""What is stopped by hand, who keeps deploys out of an app, what is in maintenance, and storage."""

from collections.abc import Iterable

from paas.domain.apps.apps import AppLock
from paas.domain.apps.storage import Storage
from paas.store.database import Database, parse_time
from paas.store.gone import note_gone


class RunningTables(Database):
    """The part of Store that is about what may run and change."""

    def stopped(self, app_id: int) -> frozenset[str]:
        return frozenset(
            word for (word,) in self.rows("SELECT word FROM stopped WHERE app_id = ?", app_id)
        )

    def set_stopped(self, app_id: int, words: Iterable[str]) -> None:
        with self.writing() as connection:
            connection.execute("DELETE FROM stopped WHERE app_id = ?", (app_id,))
            connection.executemany(
                "INSERT INTO stopped (app_id, word) VALUES (?, ?)",
                [(app_id, word) for word in words],
            )

    def lock_app(self, app_id: int, lock: AppLock) -> AppLock:
        self.write(
            "INSERT INTO app_locks (app_id, user, reason, at) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (app_id) DO NOTHING",
            app_id,
            lock.user,
            lock.reason,
            lock.at.isoformat(),
        )
        return self.app_lock(app_id) or lock

    def unlock_app(self, app_id: int) -> bool:
        was_locked = self.app_lock(app_id) is not None
        self.write("DELETE FROM app_locks WHERE app_id = ?", app_id)
        return was_locked

    def app_lock(self, app_id: int) -> AppLock | None:
        row = self.row("SELECT user, reason, at FROM app_locks WHERE app_id = ?", app_id)
        return AppLock(row[0], row[1], parse_time(row[2])) if row else None

    def maintenance(self, app_id: int) -> bool:
        return self.row("SELECT 1 FROM maintenance WHERE app_id = ?", app_id) is not None

    def set_maintenance(self, app_id: int, on: bool) -> None:
        if on:
            self.write("INSERT OR IGNORE INTO maintenance (app_id) VALUES (?)", app_id)
        else:
            self.write("DELETE FROM maintenance WHERE app_id = ?", app_id)

    def add_storage(self, app_id: int, path: str) -> Storage:
        with self.writing() as connection:
            added = connection.execute(
                "INSERT INTO storage (app_id, path) VALUES (?, ?)", (app_id, path)
            ).lastrowid
        assert added is not None
        return Storage(added, path)

    def restore_storage(self, app_id: int, storage: Storage) -> None:
        with self.writing() as connection:
            connection.execute(
                "INSERT INTO storage (id, app_id, path) VALUES (?, ?, ?)",
                (storage.id, app_id, storage.path),
            )
            connection.execute(
                "DELETE FROM gone WHERE kind = 'storage' AND id = ?", (str(storage.id),)
            )

    def remove_storage(self, storage_id: int) -> None:
        with self.writing() as connection:
            connection.execute("DELETE FROM storage WHERE id = ?", (storage_id,))
            note_gone(connection, "storage", [storage_id])
