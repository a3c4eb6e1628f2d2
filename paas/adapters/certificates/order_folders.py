"""A folder for each order at the issuer: several are made at once, and a kill leaves none for long.

A folder is locked as long as its process lives. What is not locked was left by one that was
killed, and goes with the next order.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from paas.adapters.system.files import make_directory


@contextmanager
def order_folder(parent: Path) -> Iterator[Path]:
    """A new folder of root's below parent, which is removed at the end."""
    make_directory(parent, mode=0o711)  # a hook of the operator's may go through it, not list it
    with _locked(parent):
        _remove_left(parent)
        folder = Path(tempfile.mkdtemp(dir=parent))
        held = _open(folder)
        fcntl.flock(held, fcntl.LOCK_EX)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(held)


def _remove_left(parent: Path) -> None:
    """What killed processes left there. The caller has the lock of the parent."""
    for path in parent.iterdir():
        if not path.is_dir() or path.is_symlink():
            path.unlink(missing_ok=True)  # of former versions, which had one folder
            continue
        with suppress(FileNotFoundError, BlockingIOError), _locked(path, fcntl.LOCK_NB):
            shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _locked(path: Path, how: int = 0) -> Iterator[None]:
    fd = _open(path)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | how)
        yield
    finally:
        os.close(fd)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
