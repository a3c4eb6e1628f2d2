"""Incoming dumps: files without names, which end with the process, whatever happens."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from paas.adapters.system.disk_faults import disk_fault
from paas.adapters.system.files import make_directory
from paas.domain.values.errors import PaasError

# How often the free space of the disk is looked at.
_LOOK_EVERY = 16 * 1024**2


class Spool:
    """One dump. free_bytes: on the disk, which are left to others."""

    def __init__(self, file: BinaryIO, directory: Path, free_bytes: int) -> None:
        self.file = file
        self._directory, self._free_bytes = directory, free_bytes
        self._since = _LOOK_EVERY

    def write(self, data: bytes) -> None:
        """Append to it. Raises PaasError if the disk has no space for more."""
        self._since += len(data)
        if self._since >= _LOOK_EVERY:
            self._since = 0
            if shutil.disk_usage(self._directory).free < self._free_bytes:
                raise PaasError(
                    "dump-no-room",
                    f"The dump is too large for the free space of {self._directory}.",
                    "Free some disk space, or ask the server's operator.",
                )
        try:
            self.file.write(data)
        except OSError as error:
            raise disk_fault(error, self._directory) or error from error

    def fileno(self) -> int:
        """Its descriptor, at the beginning of the dump, for a program to read."""
        self.file.flush()
        os.lseek(self.file.fileno(), 0, os.SEEK_SET)
        return self.file.fileno()

    def head(self, size: int) -> bytes:
        """The first bytes."""
        self.file.flush()
        return os.pread(self.file.fileno(), size, 0)

    def tail(self, size: int) -> bytes:
        """The last bytes."""
        self.file.flush()
        return os.pread(self.file.fileno(), size, max(0, self.size() - size))

    def size(self) -> int:
        """In bytes."""
        self.file.flush()
        return os.fstat(self.file.fileno()).st_size


@contextmanager
def spooled(directory: Path, free_bytes: int) -> Iterator[Spool]:
    """An empty spool."""
    make_directory(directory)
    with tempfile.TemporaryFile(dir=directory) as file:
        yield Spool(file, directory, free_bytes)
