"""What unit tests share."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.world import World

MEMORY = Path("/dev/shm")


@pytest.fixture
def in_memory() -> Iterator[Path]:
    """A directory for stores: what they sync to a disk would take most of the time of a test."""
    where = MEMORY if MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="paas-unit-", dir=where) as name:
        yield Path(name)


@pytest.fixture
def world(in_memory: Path) -> World:
    """A platform with nothing in it."""
    return World(in_memory)
