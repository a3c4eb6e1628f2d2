"""Which apps may connect to which datastores: in a file and in the firewall's rules."""

from collections.abc import Sequence

from paas.adapters.datastores.client_file import present_clients, write_clients
from paas.adapters.network.firewall import NftFirewall
from paas.domain.datastores.datastores import Client
from paas.settings import Settings


class FileClients:
    """`DatastoreClients`; in the firewall only while its rules are loaded."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def apply(self, clients: Sequence[Client]) -> None:
        """See `DatastoreClients`."""
        write_clients(self._settings, clients)
        NftFirewall(self._settings).let_clients([(one.port, one.uid) for one in clients])

    def present(self) -> list[Client]:
        """See `DatastoreClients`."""
        return present_clients(self._settings)
