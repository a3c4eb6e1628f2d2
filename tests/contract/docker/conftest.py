"""One Docker engine for all tests of builds in a process."""

from collections.abc import Iterator

import pytest

from paas.settings import Settings
from tests.contract.docker.engine import import_base
from tests.docker_engine import running_engine


@pytest.fixture(scope="session")
def docker_settings() -> Iterator[Settings]:
    """A server with an engine that has the image BASE, and room for builds."""
    with running_engine() as engine:
        engine.settings.paths.builds.mkdir(parents=True)
        import_base(engine.settings)
        yield engine.settings
