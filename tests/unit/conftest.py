"""What unit tests share."""

from pathlib import Path

import pytest

from tests.fakes.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A platform with nothing in it."""
    return World(tmp_path)
