"""How many instances of each process type an app has."""

from collections.abc import Mapping

from paas.domain.values.names import ProcessType
from paas.store.database import Table


class Formations(Table):
    """The quantities that were set."""

    def of_app(self, app_id: int) -> dict[ProcessType, int]:
        """By process type; a type that was never set is absent."""
        rows = self._database.rows("SELECT kind, quantity FROM formation WHERE app_id = ?", app_id)
        return {ProcessType(row["kind"]): row["quantity"] for row in rows}

    def set(self, app_id: int, quantities: Mapping[ProcessType, int]) -> None:
        """Set these; other types keep theirs."""
        with self._database.writing() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO formation (app_id, kind, quantity) VALUES (?, ?, ?)",
                [(app_id, kind, quantity) for kind, quantity in quantities.items()],
            )
