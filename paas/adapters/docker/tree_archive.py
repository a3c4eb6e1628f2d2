"""A directory as a tar archive, in pieces, as Docker's engine takes it; nothing is written to disk.

What is read was made by others, so links are never followed, and only directories, plain files and
links are taken: no devices, pipes and sockets, and no set-user-ID bits.
"""

import os
import stat
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from paas.domain.values.errors import PaasError
from paas.domain.values.names import shown

PIECE_BYTES = 1024**2
# What marks deletions in the layers of images: https://github.com/opencontainers/image-spec
WHITEOUT = ".wh."
_MODE = 0o1777


def nothing_to_check() -> None:
    """Where nobody can cancel."""


@dataclass(slots=True)
class TreeArchive:
    """One archive. name: what the directory is called in it; empty: its contents alone.

    owner: whose all is, uid and gid; None: as on disk. skip: names at the top that are left out.
    check: called for each piece; what it raises ends it. size_bytes: of the files so far.
    """

    root: Path
    name: str = ""
    owner: int | None = None
    skip: frozenset[str] = frozenset()
    check: Callable[[], None] = nothing_to_check
    size_bytes: int = 0
    _names: dict[tuple[int, int], str] = field(default_factory=dict)

    def pieces(self) -> Iterator[bytes]:
        """The archive. Raises PaasError ``slug-image`` if something cannot be in an image."""
        buffer = bytearray()
        try:
            for part in self._parts():
                buffer += part
                if len(buffer) >= PIECE_BYTES:
                    self.check()
                    yield bytes(buffer)
                    buffer.clear()
        except OSError as error:
            place = (
                "a file" if error.filename is None else shown(os.fsdecode(error.filename)[-100:])
            )
            raise PaasError(
                "slug-image", f"{place} cannot be put into an image: {error.strerror}."
            ) from error
        yield bytes(buffer + bytes(2 * tarfile.BLOCKSIZE))

    def _parts(self) -> Iterator[bytes]:
        if self.name:
            yield self._header(self.root.lstat(), self.name)
        waiting = [(str(self.root), self.name)]
        while waiting:
            folder, inside = waiting.pop()
            with os.scandir(folder) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
            for entry in found:
                if not inside.strip("/") and entry.name in self.skip:
                    continue
                _refuse_whiteout(entry.name)
                name = f"{inside}/{entry.name}" if inside else entry.name
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(status.st_mode):
                    waiting.append((entry.path, name))
                    yield self._header(status, name)
                elif stat.S_ISLNK(status.st_mode):
                    target = os.readlink(entry.path)  # noqa: PTH115 - as it is, not normalized
                    yield self._header(status, name, link=target)
                elif stat.S_ISREG(status.st_mode):
                    yield from self._file(entry.path, status, name)

    def _file(self, path: str, status: os.stat_result, name: str) -> Iterator[bytes]:
        key = (status.st_dev, status.st_ino)
        first = self._names.get(key) if status.st_nlink > 1 else None
        if first is not None:
            yield self._header(status, name, link=first)
            return
        self._names[key] = name
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            yield self._header(status, name)
            left = status.st_size
            while left:
                # Not shorter than the header says, whatever happens to the file.
                piece = file.read(min(left, PIECE_BYTES)) or bytes(min(left, PIECE_BYTES))
                left -= len(piece)
                yield piece
        self.size_bytes += status.st_size
        yield bytes(-status.st_size % tarfile.BLOCKSIZE)

    def _header(self, status: os.stat_result, name: str, *, link: str = "") -> bytes:
        entry = tarfile.TarInfo(name)
        entry.mode, entry.mtime = status.st_mode & _MODE, int(status.st_mtime)
        entry.uid = status.st_uid if self.owner is None else self.owner
        entry.gid = status.st_gid if self.owner is None else self.owner
        entry.linkname = link
        if stat.S_ISDIR(status.st_mode):
            entry.type = tarfile.DIRTYPE
        elif stat.S_ISLNK(status.st_mode):
            entry.type, entry.mode = tarfile.SYMTYPE, 0o777
        elif link:
            entry.type = tarfile.LNKTYPE
        else:
            entry.size = status.st_size
        # The format that keeps names as they are, whatever their encoding and length.
        return entry.tobuf(tarfile.GNU_FORMAT, errors="surrogateescape")


def _refuse_whiteout(name: str) -> None:
    if name.startswith(WHITEOUT):
        raise PaasError(
            "slug-image",
            f"{shown(name)} cannot be put into an image: names that begin with {WHITEOUT} mark "
            "deleted files there.",
            "Rename it, or have the app run as processes: paas builder:set engine native",
        )
