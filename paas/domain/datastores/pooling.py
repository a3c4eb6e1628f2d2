"""Connection pooling: a PostgreSQL's few connections, shared by many clients."""

from dataclasses import dataclass

from paas.domain.datastores.datastores import Datastore
from paas.domain.datastores.kinds import AttachmentName

# Heroku's name for the attachment.
POOL = AttachmentName("DATABASE_CONNECTION_POOL")
_CLIENTS_PER_CONNECTION = 20


@dataclass(frozen=True, slots=True)
class Pooler:
    """Shares a datastore's connections. port: its own, on loopback."""

    datastore: Datastore
    port: int

    @property
    def group(self) -> str:
        """The supervisor's group in which it runs; its name begins like those of all datastores."""
        return f"datastore-pooler-{self.datastore.id}"

    @property
    def connections(self) -> int:
        """How many it opens to the server: three quarters, as on Heroku.

        The rest is for direct connections, such as migrations and psql.
        """
        return self.datastore.connections * 3 // 4

    @property
    def clients(self) -> int:
        """How many clients may be connected to it at once."""
        return self.datastore.connections * _CLIENTS_PER_CONNECTION
