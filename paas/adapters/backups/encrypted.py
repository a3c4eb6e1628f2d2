"""Encrypted objects at a target; implements `EncryptedObjects`."""

import hashlib
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

from paas.adapters.backups import age
from paas.adapters.backups.local import LocalObjects
from paas.adapters.backups.s3 import S3Objects
from paas.domain.backups.targets import LocalTarget, Target
from paas.domain.values.errors import PaasError
from paas.interfaces.backups import (
    BackupSettings,
    Checking,
    Objects,
    Sink,
    StoredObject,
    Written,
)


class AgeObjects:
    """`EncryptedObjects` in age's format, which is each object's whole content."""

    def __init__(self, objects: Objects, settings: BackupSettings) -> None:
        self._objects, self._settings = objects, settings

    def begin(self) -> None:
        """See `EncryptedObjects`."""
        self._objects.begin()

    def write(
        self, name: str, source: Iterator[bytes], checking: Checking | None = None
    ) -> Written:
        """See `EncryptedObjects`."""
        objects, key = self._objects, self._settings.key()
        content, stored = _Digest(), _Digest()
        with objects.writing(name) as sink:
            age.encrypt(content.of(source), stored.before(sink), key)
        try:
            seen = _Digest()
            with (checking or (lambda: nullcontext(lambda _data: None)))() as check:
                self.read(name, seen.before(check))
            if seen.hex() != content.hex():
                raise PaasError(
                    "backup-damaged", f"{name} was read back, and differs from what was written."
                )
        except BaseException:
            objects.delete(name)
            raise
        return Written(content.size_bytes, stored.size_bytes, content.hex())

    def read(self, name: str, sink: Sink) -> None:
        """See `EncryptedObjects`."""
        try:
            age.decrypt(self._objects.chunks(name), sink, self._settings.key())
        except age.OtherKeyError as error:
            raise PaasError(
                "backup-key",
                f"{name} was encrypted with another key than this server's.",
                "Put the saved copy of that key into backups.key, beside server.yml.",
            ) from error
        except age.DamagedError as error:
            raise PaasError(
                "backup-damaged",
                f"{name} is damaged: part of it was changed or is missing.",
                "Use another backup: paas pg:backups, mysql:backups or redis:backups",
            ) from error

    def listing(self, prefix: str) -> list[StoredObject]:
        """See `EncryptedObjects`."""
        return self._objects.listing(prefix)

    def delete(self, name: str) -> None:
        """See `EncryptedObjects`."""
        self._objects.delete(name)


def open_target(
    target: Target, settings: BackupSettings, own: Path, ca_file: str | None = None
) -> AgeObjects:
    """The objects of a target. own: the platform's own directory for backups.

    ca_file: see `S3Objects`.
    """
    objects: Objects
    if not isinstance(target, LocalTarget):
        objects = S3Objects(target, ca_file)
    elif target.directory is None:
        objects = LocalObjects(own, own=True)
    else:
        objects = LocalObjects(Path(target.directory), own=False)
    return AgeObjects(objects, settings)


class _Digest:
    """Counts and hashes what passes through."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self.size_bytes = 0

    def hex(self) -> str:
        """The SHA-256 of it."""
        return self._hash.hexdigest()

    def of(self, source: Iterator[bytes]) -> Iterator[bytes]:
        """The source, counted and hashed."""
        for data in source:
            self._take(data)
            yield data

    def before(self, sink: Sink) -> Sink:
        """The sink, with everything counted and hashed before it."""

        def take(data: bytes) -> None:
            self._take(data)
            sink(data)

        return take

    def _take(self, data: bytes) -> None:
        self._hash.update(data)
        self.size_bytes += len(data)
