"""Who may reach which datastores: the same on the fake and in the file, which may be damaged."""

from pathlib import Path

import pytest

from paas.adapters.datastores.client_file import (
    hosts_of,
    hosts_on_nodes,
    present_clients,
    present_nodes,
)
from paas.adapters.datastores.clients import FileClients
from paas.domain.datastores.datastores import NO_NODES, Client, NodeAccess
from paas.interfaces import DatastoreClients
from paas.settings import Settings
from tests.fakes.datastores import FakeDatastoreClients
from tests.ports import free_range

ONE = Client(70_001, "postgresql-curly-1234.paas.internal", 31_000)
OTHER = Client(70_002, "postgresql-curly-1234.paas.internal", 31_000)
PORTS = free_range()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Of a server whose firewall's rules are not loaded."""
    return Settings(state=tmp_path, ports=(PORTS[0], PORTS[9]))


@pytest.fixture(params=["fake", "file"])
def clients(request: pytest.FixtureRequest, settings: Settings) -> DatastoreClients:
    """Each of them."""
    return FakeDatastoreClients() if request.param == "fake" else FileClients(settings)


def test_what_was_applied_last_is_present(clients: DatastoreClients) -> None:
    """In place of what was there before."""
    assert clients.present() == []
    clients.apply([ONE, OTHER])
    assert clients.present() == [ONE, OTHER]
    clients.apply([OTHER])
    assert clients.present() == [OTHER]
    clients.apply([])
    assert clients.present() == []


def test_what_nodes_reach_is_present(clients: DatastoreClients, settings: Settings) -> None:
    """Until something else is applied."""
    assert clients.nodes() == NO_NODES
    access = NodeAccess("10.0.0.1", ("10.0.0.2", "10.0.0.3"), (ONE.port,))
    clients.apply([ONE], access)
    assert clients.nodes() == access
    assert clients.present() == [ONE]
    if isinstance(clients, FileClients):
        assert hosts_on_nodes(settings, ONE.uid) == {ONE.host: "10.0.0.1"}
        assert hosts_on_nodes(settings, OTHER.uid) == {}
    clients.apply([ONE])
    assert clients.nodes() == NO_NODES


def test_an_app_finds_its_own(settings: Settings) -> None:
    """At 127.0.0.1, or at the gateway of its own network."""
    FileClients(settings).apply([ONE, OTHER])
    assert hosts_of(settings, ONE.uid, network=False) == (("127.0.0.1", ONE.host),)
    assert hosts_of(settings, ONE.uid, network=True) == (("10.213.255.254", ONE.host),)
    assert hosts_of(settings, 70_003, network=False) == ()


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"clients": 3, "nodes": 3}', '{"clients": [[1]], "nodes": {"server": "x"}}'],
)
def test_a_damaged_file_lets_nobody(settings: Settings, text: str) -> None:
    """It is written again at the next start."""
    settings.paths.datastore_clients.write_text(text)
    assert present_clients(settings) == []
    assert present_nodes(settings) == NO_NODES
