"""How long an app's web instances may take to answer."""

from paas.store.database import Table


class StartLimits(Table):
    """The limits that were set by hand."""

    def of_app(self, app_id: int) -> int | None:
        """In seconds; None: not set."""
        row = self._database.row("SELECT seconds FROM start_limits WHERE app_id = ?", app_id)
        return int(row["seconds"]) if row else None

    def set(self, app_id: int, seconds: int | None) -> None:
        with self._database.writing() as connection:
            connection.execute("DELETE FROM start_limits WHERE app_id = ?", (app_id,))
            if seconds is not None:
                connection.execute(
                    "INSERT INTO start_limits (app_id, seconds) VALUES (?, ?)", (app_id, seconds)
                )
