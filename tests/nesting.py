"""Directories in directories, deeper than Python calls itself and than the kernel takes paths."""

import os
from pathlib import Path

DEPTH = 3_000


def nest(top: Path) -> None:
    """Make them below a directory that is there, with a file of 100 kB in the last."""
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
