"""Removing and measuring what an app has filled."""

import os
from pathlib import Path

import pytest

from paas.adapters import directories

DEPTH = 3_000  # deeper than Python calls itself, and a path longer than the kernel takes


@pytest.fixture
def deep(tmp_path: Path) -> Path:
    """Directories in directories, with a file of 100 kB in the last."""
    made = tmp_path / "deep"
    made.mkdir()
    fd = os.open(made, os.O_RDONLY)
    for _ in range(DEPTH):
        os.mkdir("d", dir_fd=fd)
        below = os.open("d", os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = below
    file = os.open("x", os.O_WRONLY | os.O_CREAT, dir_fd=fd)
    os.write(file, b"x" * 100_000)
    os.close(file)
    os.close(fd)
    return made


def test_whatever_the_depth(deep: Path) -> None:
    """It is measured whole, and nothing of it is left."""
    assert directories.size_bytes(deep) >= 100_000
    directories.remove(deep)
    assert not deep.exists()


def test_no_link_is_followed(tmp_path: Path) -> None:
    """Neither at the path itself nor below it."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "file").write_bytes(b"x" * 100_000)
    made = tmp_path / "made"
    made.mkdir()
    (made / "link").symlink_to(other)
    assert directories.size_bytes(made) < 100_000
    directories.remove(made)
    (tmp_path / "made").symlink_to(other)
    directories.remove(made)
    assert not made.is_symlink()
    assert (other / "file").exists()


def test_nothing_there(tmp_path: Path) -> None:
    """Is no error."""
    directories.remove(tmp_path / "gone")
    assert directories.size_bytes(tmp_path / "gone") == 0
