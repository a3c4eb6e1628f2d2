"""The Docker engine of a process's tests, with room for builds."""

from collections.abc import Iterator

import pytest

from paas.adapters.docker.builder import DockerfileBuilder
from paas.adapters.docker.images import Images
from paas.adapters.system.files import make_directory
from paas.settings import Settings
from tests.contract.docker.workshop import Workshop
from tests.docker_engine import DockerEngine


@pytest.fixture(scope="session")
def docker_settings(docker_engine: DockerEngine) -> Settings:
    """The settings of its server."""
    make_directory(docker_engine.settings.paths.builds)
    return docker_engine.settings


@pytest.fixture
def workshop(docker_settings: Settings) -> Iterator[Workshop]:
    """A builder; nothing of its builds is left afterwards."""
    found = Workshop(docker_settings)
    yield found
    assert not DockerfileBuilder(docker_settings).left(1)
    images = Images(docker_settings)
    assert all(images.remove_build(build_id) for build_id in found.ids)
