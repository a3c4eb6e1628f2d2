"""The storage directories of the apps."""

from paas.domain.apps.storage import Storage
from paas.store.database import Table
from paas.store.gone import note_gone


class Storages(Table):
    """The directories; which an app has, the app itself says (`App.storage`)."""

    def add(self, app_id: int, path: str) -> Storage:
        with self._database.writing() as connection:
            added = connection.execute(
                "INSERT INTO storage (app_id, path) VALUES (?, ?)", (app_id, path)
            ).lastrowid
        assert added is not None
        return Storage(added, path)

    def remove(self, storage_id: int) -> None:
        with self._database.writing() as connection:
            connection.execute("DELETE FROM storage WHERE id = ?", (storage_id,))
            note_gone(connection, "storage", [storage_id])
