"""The limits on memory, CPU and so on that were set for apps; `App.limits` contains them."""

from collections.abc import Sequence

from paas.domain.runtime.resources import SetLimit
from paas.store.database import Table


class ResourceLimits(Table):
    """Stored by app; a limit for all types has an empty type."""

    def set(self, app_id: int, limits: Sequence[SetLimit]) -> None:
        """Replace the limits of the app."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM resource_limits WHERE app_id = ?", (app_id,))
            connection.executemany(
                "INSERT INTO resource_limits (app_id, kind, resource, amount) VALUES (?, ?, ?, ?)",
                [(app_id, one.kind or "", one.resource, one.amount) for one in limits],
            )
