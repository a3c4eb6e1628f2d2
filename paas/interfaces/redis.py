"""What only Redis can do, of all kinds of datastore."""

from typing import Protocol

from paas.domain.datastores.datastores import Datastore


class RedisServers(Protocol):
    """The Redis datastores of this machine."""

    def configure(self, datastore: Datastore) -> None:
        """Have it follow its settings: at once, and after each start.

        Raises PaasError if its server does not answer; it follows them after its next start then.
        """
