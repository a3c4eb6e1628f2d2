"""Small disks for the tests of what a server does on a full one."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest


@pytest.fixture
def new_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Makes a file system of 16 MiB with more options of tmpfs."""
    made: list[Path] = []

    def make(options: str = "") -> Path:
        path = tmp_path / f"disk{len(made)}"
        path.mkdir()
        argv = ["mount", "-t", "tmpfs", "-o", f"size=16m{options}", "paas-test", str(path)]
        subprocess.run(argv, check=True)
        made.append(path)
        return path

    yield make
    for path in made:
        subprocess.run(["umount", "--lazy", str(path)], check=False)
