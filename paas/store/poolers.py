"""Which datastores have a connection pooler, and at which port."""

from collections.abc import Callable

from paas.domain.datastores.datastores import Datastore
from paas.domain.datastores.pooling import Pooler
from paas.domain.server.allocations import pooler_holder
from paas.store.allocations import Allocations
from paas.store.database import Database, Table


class Poolers(Table):
    """One per datastore at most; it is needed as long as an attachment is pooled."""

    def __init__(self, database: Database, allocations: Allocations) -> None:
        super().__init__(database)
        self._allocations = allocations

    def add(self, datastore: Datastore, is_free: Callable[[int], bool]) -> Pooler:
        """The one that a datastore has; recorded with a port, if it has none.

        is_free: whether nobody on this machine listens on a port. Raises PaasError.
        """
        with self._database.writing() as connection:
            if (present := self.of(datastore)) is not None:
                return present
            holder = pooler_holder(datastore.name)
            port = self._allocations.give_service_port(holder, is_free)
            connection.execute(
                "INSERT INTO poolers (datastore_id, port) VALUES (?, ?)", (datastore.id, port)
            )
        return Pooler(datastore, port)

    def of(self, datastore: Datastore) -> Pooler | None:
        """The one that a datastore has."""
        row = self._database.row("SELECT port FROM poolers WHERE datastore_id = ?", datastore.id)
        return Pooler(datastore, row["port"]) if row else None

    def is_needed(self, datastore: Datastore) -> bool:
        """Whether an attachment of the datastore leads to its pooler."""
        return (
            self._database.row(
                "SELECT 1 FROM attachments WHERE datastore_id = ? AND pooled", datastore.id
            )
            is not None
        )

    def forget(self, datastore: Datastore) -> None:
        """Record that nothing is left of it; its port is free."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM poolers WHERE datastore_id = ?", (datastore.id,))
            self._allocations.free(pooler_holder(datastore.name))
