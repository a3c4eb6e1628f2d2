"""Real programs shared by the contract tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from paas.adapters.docker.connection import docker_client
from paas.adapters.runtime.docker.records import Records
from paas.adapters.runtime.docker.runtime import DockerRuntime
from paas.adapters.runtime.native.cgroups import Cgroups
from tests.contract.builds.git_https import serving
from tests.contract.builds.importing import Desk, open_desk
from tests.contract.runtime.runtime_harness import Harness
from tests.contract.runtime.supervisor_server import SupervisorServer, running_supervisor
from tests.docker_engine import DockerEngine, running_engine


@pytest.fixture(scope="session")
def supervisor_server() -> Iterator[SupervisorServer]:
    """One supervisord for all tests that do not end it."""
    with running_supervisor() as server:
        yield server


@pytest.fixture(scope="session")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str, Path]]:
    """A git server by https: its directory, address and certificate."""
    shelf = tmp_path_factory.mktemp("shelf")
    with serving(shelf) as (address, certificate):
        yield shelf, address, certificate


@pytest.fixture
def desk(tmp_path_factory: pytest.TempPathFactory, elsewhere: tuple[Path, str, Path]) -> Desk:
    """The importer of a new server, whose app trusts that one."""
    return open_desk(tmp_path_factory.mktemp("desk"), elsewhere)


@pytest.fixture
def native(supervisor_server: SupervisorServer) -> Iterator[Harness]:
    """The real runtime, cleaned up afterwards."""
    harness = native_harness(supervisor_server)
    yield harness
    harness.clean_up()


@pytest.fixture(scope="session")
def docker_engine() -> Iterator[DockerEngine]:
    """One Docker engine for all tests that do not end it."""
    with running_engine() as engine:
        yield engine


@pytest.fixture
def docker(docker_engine: DockerEngine, tmp_path: Path) -> Iterator[Harness]:
    """The real runtime of containers, cleaned up afterwards."""
    harness = docker_harness(docker_engine, tmp_path)
    yield harness
    harness.clean_up()


def docker_harness(engine: DockerEngine, slug: Path) -> Harness:
    """The real runtime of that engine."""
    settings = engine.settings
    runtime = DockerRuntime(settings, Cgroups(settings))

    def lose() -> None:
        """As after a reboot: nothing runs, and what is below /run is gone."""
        with docker_client(settings) as client:
            for container in runtime.found(client):
                Records(settings).end(container["Names"][0].lstrip("/"))
                client.api.kill(container["Id"])

    return Harness(runtime, slug, lose, image=engine.image)


def native_harness(server: SupervisorServer) -> Harness:
    """The real runtime of that server."""
    slug = server.settings.state / "slug"
    slug.mkdir(mode=0o755, exist_ok=True)

    def lose() -> None:
        for group in server.runtime.groups():
            server.supervisor.stop_processes(group, [], 0.0)
            while not server.supervisor.remove_processes(group, []):
                pass

    return Harness(server.runtime, slug, lose)
