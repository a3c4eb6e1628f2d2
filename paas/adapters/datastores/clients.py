"""Which apps may connect to which datastores: in a file and in the firewall's rules."""

from collections.abc import Sequence

from paas.adapters.datastores.client_file import (
    present_clients,
    present_nodes,
    write_clients,
)
from paas.adapters.network.firewall import NftFirewall
from paas.domain.datastores.datastores import NO_NODES, Client, NodeAccess
from paas.settings import Settings


class FileClients:
    """`DatastoreClients`; in the firewall only while its rules are loaded."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def apply(self, clients: Sequence[Client], nodes: NodeAccess = NO_NODES) -> None:
        """See `DatastoreClients`."""
        write_clients(self._settings, clients, nodes)
        pairs = [(one.port, one.uid) for one in clients]
        NftFirewall(self._settings).let_clients(pairs, nodes)

    def present(self) -> list[Client]:
        """See `DatastoreClients`."""
        return present_clients(self._settings)

    def nodes(self) -> NodeAccess:
        """See `DatastoreClients`."""
        return present_nodes(self._settings)
