"""A directory that the processes of a test run share; tests/conftest.py makes and removes it."""

import os
from pathlib import Path

VARIABLE = "PAAS_TESTS_DIRECTORY"


def run_directory() -> Path:
    """The one of this run."""
    return Path(os.environ[VARIABLE])
