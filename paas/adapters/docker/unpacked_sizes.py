"""How large an archive is when the engine unpacks it: a tar archive, also a compressed one."""

import bz2
import gzip
import lzma
import tarfile
import zlib
from collections.abc import Callable
from typing import BinaryIO, Protocol

_STEP_BYTES = 2**20
# xz -9 needs 65 MiB; nothing that needs more is worth the server's memory.
_XZ_MEMORY_BYTES = 128 * 2**20
_GZIP, _BZIP2, _XZ = b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00"
_TAR, _TAR_AT = b"ustar", 257
_DAMAGED = (EOFError, OSError, zlib.error, lzma.LZMAError)


class TooLargeError(Exception):
    """More than may be unpacked."""


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def unpacked_bytes(file: BinaryIO, most_bytes: int, check: Callable[[], None]) -> int:
    """How large it is unpacked, if it is an archive; 0 if it is none that the engine would unpack.

    check: called often; what it raises ends this. Raises TooLargeError beyond most_bytes.
    """
    head = file.read(tarfile.BLOCKSIZE)
    file.seek(0)
    content: _Readable
    if head.startswith(_GZIP):
        content = gzip.GzipFile(fileobj=file, mode="rb")
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
        with tarfile.open(fileobj=counted, mode="r|") as archive:  # type: ignore[call-overload] # a stream need only read
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
    """What is read of a file, up to a limit; then it raises TooLargeError."""

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
            raise TooLargeError


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
                    raise TooLargeError from error
                raise
            if found:
                return found

    def _new(self) -> lzma.LZMADecompressor:
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY_BYTES)
