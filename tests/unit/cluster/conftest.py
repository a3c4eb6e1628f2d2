"""What tests of nodes share."""

from pathlib import Path

import pytest

from tests.fakes.world import World


@pytest.fixture
def dockerized(tmp_path: Path) -> World:
    """A server with Docker and nothing in it."""
    return World(tmp_path, docker=True)
