"""Which folder of its repository each app is built from."""

from paas.store.database import Table


class BuildDirs(Table):
    """The folders of the repositories that are the apps."""

    def of_app(self, app_id: int) -> str | None:
        """None: all of the repository."""
        row = self._database.row("SELECT folder FROM build_dirs WHERE app_id = ?", app_id)
        return str(row["folder"]) if row else None

    def set(self, app_id: int, folder: str | None) -> None:
        with self._database.writing() as connection:
            connection.execute("DELETE FROM build_dirs WHERE app_id = ?", (app_id,))
            if folder is not None:
                connection.execute(
                    "INSERT INTO build_dirs (app_id, folder) VALUES (?, ?)", (app_id, folder)
                )
