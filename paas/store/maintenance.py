"""Which apps are in maintenance."""

from paas.store.database import Table


class Maintenance(Table):
    """The apps in maintenance."""

    def is_on(self, app_id: int) -> bool:
        row = self._database.row("SELECT 1 FROM maintenance WHERE app_id = ?", app_id)
        return row is not None

    def set(self, app_id: int, on: bool) -> None:
        if on:
            self._database.write("INSERT OR IGNORE INTO maintenance (app_id) VALUES (?)", app_id)
        else:
            self._database.write("DELETE FROM maintenance WHERE app_id = ?", app_id)
