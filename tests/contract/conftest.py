"""Real programs shared by the contract tests."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from paas.adapters.docker.build_bridge import build_address
from paas.adapters.docker.connection import docker_client
from paas.adapters.runtime.docker.records import Records
from paas.adapters.runtime.docker.runtime import DockerRuntime
from paas.adapters.runtime.native.cgroups import Cgroups
from paas.settings import Settings
from tests.contract.builds.git_https import serving
from tests.contract.builds.importing import Desk, open_desk
from tests.contract.docker.registries import Registries
from tests.contract.runtime.runtime_harness import Harness
from tests.contract.runtime.supervisor_server import SupervisorServer, running_supervisor
from tests.docker_engine import DockerEngine, running_engine
from tests.ports import free_network, free_ports


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
def registries(tmp_path_factory: pytest.TempPathFactory) -> Registries:
    """None of them runs."""
    home = tmp_path_factory.mktemp("registries")
    network = free_network()
    mirror, private = free_ports(2)
    address = build_address(Settings(docker_network_range=network)).ip
    tls = home / "cert.pem", home / "key.pem"
    words = f"-x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test -out {tls[0]} -keyout {tls[1]}"
    subprocess.run(
        ["openssl", "req", *words.split(), "-addext", f"subjectAltName=IP:{address}"],
        check=True,
        capture_output=True,
    )
    return Registries(network, home, ("127.0.0.1", mirror), (str(address), private), tls)


@pytest.fixture(scope="session")
def docker_engine(registries: Registries) -> Iterator[DockerEngine]:
    """One Docker engine for all tests that do not end it; it knows those registries."""
    with running_engine(
        docker_network_range=registries.network,
        docker_registry_mirror=("http://{}:{}".format(*registries.mirror),),
        build_env={"SSL_CERT_FILE": str(registries.tls[0])},
    ) as engine:
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
