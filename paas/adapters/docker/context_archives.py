"""Refuses a tree with archives that ADD would unpack to more than a build may write.

BuildKit unpacks a tar archive that ``ADD`` names, also one compressed by gzip, bzip2 or xz, to its
end, whatever becomes of the build; so a small file could fill the disk. All archives of the tree
are looked at, whichever ADD names.
"""

import bz2
import gzip
import lzma
import os
import shutil
import stat
import tarfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

from paas.domain.builds.builders import adds_files
from paas.domain.values.errors import PaasError
from paas.domain.values.names import shown
from paas.domain.values.sizes import size_words
from paas.settings import Settings

UNPACKED_MAX_BYTES = 4 * 2**30
_STEP_BYTES = 2**20
# xz -9 needs 65 MiB; nothing that needs more is worth the server's memory.
_XZ_MEMORY_BYTES = 128 * 2**20
_GZIP, _BZIP2, _XZ = b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00"
_TAR, _TAR_AT = b"ustar", 257
_DAMAGED = (EOFError, OSError, zlib.error, lzma.LZMAError)


class _TooLargeError(Exception):
    """More than may be unpacked."""


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def refuse_bombs(
    settings: Settings, tree: Path, dockerfile: bytes, check: Callable[[], None]
) -> None:
    """Raises PaasError if the archives of a tree are too large unpacked, and its Dockerfile adds.

    check: called often; what it raises ends this.
    """
    if not adds_files(dockerfile):
        return
    free_bytes = shutil.disk_usage(settings.paths.docker).free - settings.min_free_mib * 2**20
    left_bytes = most_bytes = max(0, min(UNPACKED_MAX_BYTES, free_bytes))
    for path in _plain_files(tree):
        try:
            left_bytes -= unpacked_bytes(path, left_bytes, check)
        except _TooLargeError:
            raise PaasError(
                "dockerfile-archives",
                f"With {shown(str(path.relative_to(tree)))}, the archives of this app would be "
                f"more than {size_words(most_bytes)} unpacked.",
                "ADD unpacks archives. Take it out of the repository, or unpack what you need of "
                "it in a RUN step.",
            ) from None


def unpacked_bytes(path: Path, most_bytes: int, check: Callable[[], None]) -> int:
    """How large it is unpacked, if it is an archive; 0 if it is none that ADD would unpack."""
    with _opened(path) as file:
        head = file.read(tarfile.BLOCKSIZE)
        file.seek(0)
        content: _Readable
        if head.startswith(_GZIP):
            content = gzip.GzipFile(fileobj=file)
        elif head.startswith(_BZIP2):
            content = bz2.BZ2File(file)
        elif head.startswith(_XZ):
            content = _Xz(file)
        elif head[_TAR_AT:].startswith(_TAR):
            content = file
        else:
            return 0
        return _measured(_Counted(content, most_bytes, check))


def _measured(counted: "_Counted") -> int:
    """All that is read, and the holes of sparse files, which are written out as zeros."""
    try:
        with tarfile.open(fileobj=counted, mode="r|") as archive:  # type: ignore[call-overload]
            for member in archive:
                if member.sparse is not None:
                    counted.count(member.size)
    except tarfile.TarError:
        pass  # what the engine makes of it is not known: its length counts
    except _DAMAGED:
        return counted.total_bytes
    try:
        while counted.read(_STEP_BYTES):
            pass
    except _DAMAGED:
        pass
    return counted.total_bytes


class _Counted:
    """What is read of a file, up to a limit; then it raises _TooLargeError."""

    def __init__(self, content: _Readable, most_bytes: int, check: Callable[[], None]) -> None:
        self._content = content
        self._most_bytes = most_bytes
        self._check = check
        self.total_bytes = 0

    def read(self, size: int) -> bytes:
        found = self._content.read(min(size, _STEP_BYTES))
        self.count(len(found))
        return found

    def count(self, size_bytes: int) -> None:
        """Add to what was read."""
        self._check()
        self.total_bytes += size_bytes
        if self.total_bytes > self._most_bytes:
            raise _TooLargeError


class _Xz:
    """What an xz file contains, with a limit of memory, which LZMAFile does not have."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._decompressor = self._new()

    def read(self, size: int) -> bytes:
        """At most size bytes; none at its end."""
        while True:
            data = b""
            if self._decompressor.eof:
                data, self._decompressor = self._decompressor.unused_data, self._new()
            if not data and self._decompressor.needs_input:
                data = self._file.read(_STEP_BYTES)
                if not data:
                    return b""
            try:
                found = self._decompressor.decompress(data, size)
            except lzma.LZMAError as error:
                if "Memory usage limit" in str(error):  # lzma has no other sign of it
                    raise _TooLargeError from error
                raise
            if found:
                return found

    def _new(self) -> lzma.LZMADecompressor:
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY_BYTES)


def _plain_files(tree: Path) -> Iterator[Path]:
    for folder, _, names in os.walk(tree):
        for name in sorted(names):
            path = Path(folder, name)
            if stat.S_ISREG(path.lstat().st_mode):
                yield path


def _opened(path: Path) -> BinaryIO:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    return os.fdopen(os.open(path, flags), "rb")
