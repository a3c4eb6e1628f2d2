"""The stored form of a MariaDB dump: SQL in gzip, with a marker at its end."""

import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from paas.adapters.datastores.packed import GZIP
from paas.domain.datastores.dump_ends import MYSQL, TAIL_BYTES, is_whole
from paas.domain.values.errors import PaasError
from paas.interfaces.backups import Sink

# SQL becomes several times smaller at any level; the first ones take the least of a small machine.
_LEVEL = 3
# Of zlib's parameter ``wbits``.
_GZIP_FORM = zlib.MAX_WBITS | 16


def pack(dump: Iterable[bytes], *, compressed: bool) -> Iterator[bytes]:
    """A dump in its stored form, or unchanged. Raises PaasError at the end if it is incomplete."""
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP_FORM) if compressed else None
    tail = b""
    for data in dump:
        tail = (tail + data)[-TAIL_BYTES:]
        yield packer.compress(data) if packer is not None else data
    if not is_whole(tail, MYSQL):
        raise not_whole()
    if packer is not None:
        yield packer.flush()


@contextmanager
def checking() -> Iterator[Sink]:
    """Unpacks all of a dump, compressed or not, and checks its last line.

    Raises PaasError if it is incomplete.
    """
    seen = _Seen()
    yield seen.take
    seen.refuse_half()


class _Seen:
    """Follows a dump, compressed or not, and keeps its end."""

    def __init__(self) -> None:
        self._unpacking: zlib._Decompress | None = None
        self._head = self._tail = b""

    def take(self, data: bytes) -> None:
        """The next part of it. Raises PaasError if it cannot be unpacked."""
        if len(self._head) < len(GZIP):
            self._head += data
            if len(self._head) < len(GZIP):
                return
            data = self._head
            if data.startswith(GZIP):
                self._unpacking = zlib.decompressobj(_GZIP_FORM)
        if self._unpacking is not None:
            try:
                data = self._unpacking.decompress(data)
            except zlib.error as error:
                raise not_whole() from error
        self._tail = (self._tail + data)[-TAIL_BYTES:]

    def refuse_half(self) -> None:
        """Raises PaasError unless the dump is complete."""
        if self._unpacking is not None and not self._unpacking.eof:
            raise not_whole()
        if not is_whole(self._tail, MYSQL):
            raise not_whole()


def not_whole() -> PaasError:
    """The error for a truncated dump, wherever it comes from."""
    return PaasError(
        "dump-not-loaded",
        "The dump is incomplete: its last line is not '-- Dump completed'. Nothing has changed.",
        "Dump again without --skip-comments and --compact, and check the exit status of mysqldump.",
    )
