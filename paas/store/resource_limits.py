"""The limits of memory, CPU and more that were set for apps; `App.limits` has them."""

from collections.abc import Sequence

from paas.domain.runtime.resources import SetLimit
from paas.store.database import Table


class ResourceLimits(Table):
    """By app; the type of a limit for all types is empty."""

    def set(self, app_id: int, limits: Sequence[SetLimit]) -> None:
        """In place of those that the app has."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM resource_limits WHERE app_id = ?", (app_id,))
            connection.executemany(
                "INSERT INTO resource_limits (app_id, kind, resource, amount) VALUES (?, ?, ?, ?)",
                [(app_id, one.kind or "", one.resource, one.amount) for one in limits],
            )
