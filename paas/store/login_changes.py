"""Changes of datastores' logins that are under way, and which apps may still use a former login."""

from paas.domain.datastores.datastores import Datastore
from paas.store.database import Database, Table
from paas.store.sealing import Sealing
from paas.store.seals import datastore_place


class LoginChanges(Table):
    """One per datastore at most; it is recorded before anything is done."""

    def __init__(self, database: Database, sealing: Sealing) -> None:
        super().__init__(database)
        self._sealing = sealing

    def begin(self, datastore: Datastore) -> None:
        """Record that there may be logins besides the present one."""
        self._database.write(
            "INSERT OR IGNORE INTO login_changes (datastore_id) VALUES (?)", datastore.id
        )

    def commit(self, datastore: Datastore) -> None:
        """From now on its login is the one in this record: what starts gets that.

        The apps to which it is attached have processes that use the former one, and so have those
        of its followers, which have its logins.
        """
        sealed = self._sealing.seal(datastore_place(datastore.name), datastore.password.reveal())
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE datastores SET login_number = ?, password = ? WHERE id = ?",
                (datastore.login_number, sealed, datastore.id),
            )
            connection.execute(
                "INSERT OR IGNORE INTO former_login_apps (datastore_id, app_id) "
                "SELECT DISTINCT ?, app_id FROM attachments WHERE datastore_id IN "
                "(SELECT id FROM datastores WHERE id = ? OR leader_id = ?)",
                (datastore.id, datastore.id, datastore.id),
            )

    def under_way(self) -> list[int]:
        """The ids of the datastores."""
        rows = self._database.rows("SELECT datastore_id FROM login_changes ORDER BY datastore_id")
        return [row["datastore_id"] for row in rows]

    def apps(self, datastore_id: int) -> list[int]:
        """The ids of the apps that may still use a former login."""
        rows = self._database.rows(
            "SELECT app_id FROM former_login_apps WHERE datastore_id = ? ORDER BY app_id",
            datastore_id,
        )
        return [row["app_id"] for row in rows]

    def rolled_out(self, datastore_id: int, app_id: int) -> None:
        """Record that all processes of an app have the present login."""
        self._database.write(
            "DELETE FROM former_login_apps WHERE datastore_id = ? AND app_id = ?",
            datastore_id,
            app_id,
        )

    def end(self, datastore_id: int) -> None:
        """Record that the present login is the only one."""
        with self._database.writing() as connection:
            for table in ("login_changes", "former_login_apps"):
                connection.execute(
                    f"DELETE FROM {table} WHERE datastore_id = ?",  # one of the two
                    (datastore_id,),
                )
