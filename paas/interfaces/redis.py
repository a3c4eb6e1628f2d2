"""What only Redis can do among the kinds of datastore."""

from typing import Protocol

from paas.domain.datastores.datastores import Datastore


class RedisServers(Protocol):
    """The Redis datastores of this machine."""

    def configure(self, datastore: Datastore) -> None:
        """Apply its settings at once, and at each start.

        Raises PaasError if its server does not answer; they then apply after its next start.
        """
