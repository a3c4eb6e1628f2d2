"""The mark next to the database: which store it is, and how many changes it has seen.

It shows that an empty, foreign or older file is in the place of the database. It is written after a
change is on the disk, in place, with one write that no kill can interrupt, and not synced: so it is
never ahead of the database, and costs a change only microseconds. `sync` is for the monitor
process, once a second if there was a change; docs/internals/crash-safety.md says why that is
enough.
"""

import os
import re
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from paas.adapters.system.files import read_bytes, sync_file, write_atomic

NAME = "store.mark"
_TEXT = re.compile(rb"(paas store ([0-9a-f]{32}) ([0-9]{20})) ([0-9a-f]{8})\n")
_READS = 5


@dataclass(frozen=True, slots=True)
class Mark:
    """id: of the store, given at its creation. changes: how many transactions it has seen."""

    id: str
    changes: int


class MarkFile:
    """The mark of one database."""

    def __init__(self, database: Path) -> None:
        self.path = database.with_name(NAME)

    def read(self) -> Mark | None:
        """None if there is none, or it is damaged."""
        for _ in range(_READS):  # it may be read while it is written
            match = _TEXT.fullmatch(read_bytes(self.path) or b"")
            if match and int(match[4], 16) == zlib.crc32(match[1]):
                return Mark(match[2].decode(), int(match[3]))
        return None

    def note(self, mark: Mark) -> None:
        """Write it in place; if that fails it stays behind, which does no harm."""
        try:
            fd = os.open(self.path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            return
        try:
            with suppress(OSError):
                os.pwrite(fd, _text(mark), 0)
        finally:
            os.close(fd)

    def write(self, mark: Mark) -> None:
        """Create it, synced to disk when this returns."""
        write_atomic(self.path, _text(mark), mode=0o600)

    def sync(self) -> None:
        """Sync it to disk."""
        with suppress(OSError):
            sync_file(self.path)


def _text(mark: Mark) -> bytes:
    said = f"paas store {mark.id} {mark.changes:020d}".encode()
    return b"%s %08x\n" % (said, zlib.crc32(said))
