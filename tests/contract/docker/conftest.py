"""One Docker engine for all tests of builds in a process."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from paas.adapters.docker.build_bridge import build_address
from paas.settings import Settings
from tests.contract.docker.engine import import_base
from tests.docker_engine import running_engine
from tests.ports import free_network, free_ports


@dataclass(frozen=True, slots=True)
class Registries:
    """Where registries may be started that the engine knows; see tests/registry.py.

    mirror: of Docker Hub, without TLS. private: elsewhere, with the certificate and key `tls`,
    which the engine trusts; not on loopback, where BuildKit uses no TLS.
    """

    network: str
    home: Path
    mirror: tuple[str, int]
    private: tuple[str, int]
    tls: tuple[Path, Path]


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
def docker_settings(registries: Registries) -> Iterator[Settings]:
    """A server with an engine that has the image BASE, and room for builds."""
    mirror = "http://{}:{}".format(*registries.mirror)
    with running_engine(
        docker_network_range=registries.network,
        docker_registry_mirror=(mirror,),
        build_env={"SSL_CERT_FILE": str(registries.tls[0])},
    ) as engine:
        engine.settings.paths.builds.mkdir(parents=True)
        import_base(engine.settings)
        yield engine.settings
