"""Where the stores of these tests are."""

from pathlib import Path

import pytest


@pytest.fixture
def tmp_path(in_memory: Path) -> Path:
    """In memory."""
    return in_memory
