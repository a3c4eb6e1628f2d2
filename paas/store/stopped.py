"""What of an app is stopped by hand."""

from collections.abc import Iterable

from paas.store.database import Table


class Stopped(Table):
    """The words that name what is stopped (domain/releases/stopping.py)."""

    def of_app(self, app_id: int) -> frozenset[str]:
        rows = self._database.rows("SELECT word FROM stopped WHERE app_id = ?", app_id)
        return frozenset(row["word"] for row in rows)

    def set(self, app_id: int, words: Iterable[str]) -> None:
        with self._database.writing() as connection:
            connection.execute("DELETE FROM stopped WHERE app_id = ?", (app_id,))
            connection.executemany(
                "INSERT INTO stopped (app_id, word) VALUES (?, ?)",
                [(app_id, word) for word in words],
            )
