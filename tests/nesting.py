"""Directories in directories, deeper than Python calls itself and than the kernel takes paths."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DEPTH = 3_000


@contextmanager
def nested(top: Path) -> Iterator[None]:
    """Have them below a directory that is there, with a file of 100 kB in the last.

    What the block has not removed is removed after it: pytest and shutil could not.
    """
    try:
        _nest(top)
        yield
    finally:
        subprocess.run(["rm", "-rf", str(top / "d")], check=True)


def _nest(top: Path) -> None:
    fd = os.open(top, os.O_RDONLY)
    for _ in range(DEPTH):
        os.mkdir("d", dir_fd=fd)
        below = os.open("d", os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = below
    file = os.open("x", os.O_WRONLY | os.O_CREAT, dir_fd=fd)
    os.write(file, b"x" * 100_000)
    os.close(file)
    os.close(fd)
