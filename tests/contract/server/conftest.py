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


@pytest.fixture
def new_ext4(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """Makes an ext4 of so many MiB in a sparse file, a quarter of which is root's alone."""
    made: list[Path] = []

    def make(size_mib: int) -> Path:
        path = tmp_path / f"ext4-{len(made)}"
        image = path.with_suffix(".image")
        with image.open("wb") as file:
            file.truncate(size_mib * 1024**2)
        subprocess.run(["mkfs.ext4", "-q", "-m", "25", str(image)], check=True)
        path.mkdir()
        subprocess.run(["mount", "-o", "loop", str(image), str(path)], check=True)
        made.append(path)
        return path

    yield make
    for path in made:
        subprocess.run(["umount", "--lazy", str(path)], check=False)
