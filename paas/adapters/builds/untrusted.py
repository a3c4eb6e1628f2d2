"""Files below directories that an app's uid can write to: read without following links."""

import os
import stat
from pathlib import Path

from paas.adapters.system import directories


def read_plain_file(directory: Path, name: str, max_bytes: int) -> bytes | None:
    """At most max_bytes of the plain file name in directory; None if there is no such file.

    Neither directory nor the file may be a symbolic link, and a FIFO or device is not waited for.
    """
    try:
        parent = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        found = os.open(name, flags, dir_fd=parent)
    except OSError:
        return None
    finally:
        os.close(parent)
    try:
        if not stat.S_ISREG(os.fstat(found).st_mode):
            return None
        with open(found, "rb", closefd=False) as file:
            return file.read(max_bytes)
    except OSError:
        return None
    finally:
        os.close(found)


def discard(path: Path) -> None:
    """Delete whatever is at path; a symbolic link itself, never what it points to."""
    if path.is_dir() and not path.is_symlink():
        directories.remove(path)
    else:
        path.unlink(missing_ok=True)
