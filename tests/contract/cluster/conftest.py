"""One engine for all tests of clusters in a process; it is the server's."""

from collections.abc import Iterator

import pytest

from paas.adapters.cluster.registry import DockerRegistry
from paas.adapters.cluster.swarm import SwarmCluster
from tests.contract.cluster.manager import ManagerProcess
from tests.docker_engine import DockerEngine, running_engine
from tests.node_registry import RegistryProcess
from tests.ports import free_port


@pytest.fixture(scope="session")
def engine() -> Iterator[DockerEngine]:
    """That of the server's own containers."""
    # The usual port of the registry may be one of the apps of another server of this machine.
    with running_engine(registry_port=free_port()) as running:
        yield running


@pytest.fixture
def registry(engine: DockerEngine) -> Iterator[DockerRegistry]:
    """Not started yet."""
    found = DockerRegistry(engine.settings, RegistryProcess(engine.settings))
    yield found
    found.end()


@pytest.fixture
def manager(engine: DockerEngine) -> Iterator[ManagerProcess]:
    """Not started yet."""
    process = ManagerProcess(engine.settings)
    yield process
    SwarmCluster(engine.settings, process.keep).end()
