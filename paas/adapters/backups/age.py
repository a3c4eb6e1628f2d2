"""Encryption in age's format, which other programs can read, too.

https://age-encryption.org/v1: chunks of 64 KiB by ChaCha20-Poly1305, numbered, the last one marked.
So a changed, moved or missing chunk is detected, and so is a truncated end.
"""

from collections.abc import Iterator
from typing import IO, cast

from paas.domain.backups.keys import BackupKey
from paas.domain.values.secret import Secret
from paas.interfaces.backups import Sink


class BadKeyError(Exception):
    """This is not an age identity."""


class OtherKeyError(Exception):
    """It was encrypted for another key."""


class DamagedError(Exception):
    """Something was changed or moved, or is missing."""


def new_key() -> BackupKey:
    """A key that nobody else has."""
    from pyrage import x25519

    return _key(x25519.Identity.generate())


def read_key(identity: str) -> BackupKey:
    """The key in an identity, ``AGE-SECRET-KEY-1...``. Raises BadKeyError."""
    from pyrage import IdentityError, x25519

    try:
        return _key(x25519.Identity.from_str(identity))
    except IdentityError as error:
        raise BadKeyError from error


def encrypt(source: Iterator[bytes], sink: Sink, key: BackupKey) -> None:
    """Give the sink what the source yields, encrypted; the end marker only if the source ended.

    What source and sink raise is passed on.
    """
    from pyrage import EncryptError, encrypt_io, x25519

    reader, writer = _Reader(source), _Writer(sink)
    recipient = x25519.Recipient.from_str(key.recipient.reveal())
    try:
        encrypt_io(cast(IO[bytes], reader), cast(IO[bytes], writer), [recipient])
    except (EncryptError, OSError) as error:
        raise reader.failure or writer.failure or error from error


def decrypt(source: Iterator[bytes], sink: Sink, key: BackupKey) -> None:
    """Give the sink the content. What source and sink raise is passed on.

    Raises OtherKeyError before the sink gets anything, or DamagedError, maybe after it got some.
    """
    from pyrage import DecryptError, decrypt_io, x25519

    reader, writer = _Reader(source), _Writer(sink)
    identity = x25519.Identity.from_str(key.identity.reveal())
    try:
        decrypt_io(cast(IO[bytes], reader), cast(IO[bytes], writer), [identity])
    except (DecryptError, OSError) as error:
        if failure := reader.failure or writer.failure:
            raise failure from error
        if str(error) == "No matching keys found":
            raise OtherKeyError from error
        raise DamagedError(str(error)) from error


def _key(identity: object) -> BackupKey:
    recipient = identity.to_public()  # type: ignore[attr-defined] # an identity of pyrage
    return BackupKey(Secret(str(identity)), Secret(str(recipient)))


class _Reader:
    """A file whose content comes from an iterator. failure: what the iterator raised."""

    def __init__(self, source: Iterator[bytes]) -> None:
        self._source = source
        self._rest = b""
        self.failure: BaseException | None = None

    def read(self, size: int = -1) -> bytes:
        """The next bytes, at most size; none at the end."""
        try:
            while not self._rest:
                self._rest = next(self._source)
        except StopIteration:
            return b""
        except BaseException as error:
            self.failure = error
            raise
        part = self._rest if size < 0 else self._rest[:size]
        self._rest = self._rest[len(part) :]
        return part


class _Writer:
    """A file whose content goes to a sink. failure: what the sink raised."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self.failure: BaseException | None = None

    def write(self, data: bytes) -> int:
        """Pass bytes on."""
        try:
            self._sink(bytes(data))
        except BaseException as error:
            self.failure = error
            raise
        return len(data)

    def flush(self) -> None:
        """Does nothing, since nothing is buffered."""
