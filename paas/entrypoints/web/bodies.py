"""The bodies of requests: read in pieces, unpacked where they are packed, and never too large."""

import zlib
from collections.abc import Iterator
from typing import Protocol

PIECE_BYTES = 65_536
_GZIP = 16 + zlib.MAX_WBITS


class Source(Protocol):
    """What a body is read from."""

    def read(self, size: int, /) -> bytes:
        """So many bytes, or fewer at its end."""
        ...


class BodyError(Exception):
    """A body that is too large, or is not packed as it says."""


def pieces(source: Source, *, limit_bytes: int, gzipped: bool) -> Iterator[bytes]:
    """A body in pieces. limit_bytes: of what is in it, unpacked. Raises BodyError."""
    left = limit_bytes
    for piece in _unpacked(source) if gzipped else _raw(source):
        left -= len(piece)
        if left < 0:
            raise BodyError("The body is too large.")
        yield piece


def _raw(source: Source) -> Iterator[bytes]:
    while piece := source.read(PIECE_BYTES):
        yield piece


def _unpacked(source: Source) -> Iterator[bytes]:
    """A small body may unpack to a huge one, so each piece is bounded."""
    unpack = zlib.decompressobj(_GZIP)
    try:
        for packed in _raw(source):
            while packed:
                if piece := unpack.decompress(packed, PIECE_BYTES):
                    yield piece
                packed = unpack.unconsumed_tail
    except zlib.error as error:
        raise BodyError("The body is not gzip.") from error
    if not unpack.eof:
        raise BodyError("The body ends too early.")
