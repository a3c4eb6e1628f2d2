"""Backups: a server's settings for them, and the objects in its target."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from paas.domain.backups.keys import BackupKey
from paas.domain.backups.targets import Target

# Takes bytes; raises to end it all.
Sink = Callable[[bytes], object]
Checking = Callable[[], AbstractContextManager[Sink]]


class BackupSettings(Protocol):
    """Where this server's backups are stored, and how they are encrypted."""

    def target(self) -> Target:
        """The platform's own directory unless another target was set."""

    def set_target(self, target: Target) -> None:
        """Objects in the former target stay there. Raises PaasError."""

    def key(self) -> BackupKey:
        """Created at the first call. Raises PaasError if the file is damaged."""

    def saved_at(self) -> datetime | None:
        """When somebody confirmed that a copy of the present key is kept elsewhere."""

    def note_saved(self, at: datetime) -> None:
        """Record that a copy of the present key was saved."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object in a target, in its encrypted form. name: relative, with slashes."""

    name: str
    size_bytes: int


class Objects(Protocol):
    """The objects of one target. Names are ours: words of ``[A-Za-z0-9._-]`` between slashes."""

    def begin(self) -> None:
        """Prepare a newly chosen target. Raises PaasError if it cannot be used."""

    def writing(self, name: str) -> AbstractContextManager[Sink]:
        """Takes the bytes of an object, which appears whole when the block ends, or not at all."""

    def chunks(self, name: str) -> Iterator[bytes]:
        """The bytes of an object. Raises PaasError ``backup-missing`` if there is none."""

    def listing(self, prefix: str) -> list[StoredObject]:
        """The objects whose names begin with a path, by name."""

    def delete(self, name: str) -> None:
        """Delete an object; no error if there is none."""


@dataclass(frozen=True, slots=True)
class Written:
    """What was written and read back. sha256: of the content before it was encrypted, in hex."""

    size_bytes: int
    stored_bytes: int
    sha256: str


class EncryptedObjects(Protocol):
    """The objects of one target, encrypted before they leave this machine."""

    def begin(self) -> None:
        """See `Objects`."""

    def write(
        self, name: str, source: Iterator[bytes], checking: Checking | None = None
    ) -> Written:
        """Store what the source yields, and read it back.

        If the source raises, nothing is stored. checking: gets the decrypted content that was read
        back, and may raise. If it does, or if the content differs from what was written, the object
        is deleted. Raises PaasError.
        """

    def read(self, name: str, sink: Sink) -> None:
        """Give the decrypted content to the sink; when this returns, it was complete and unchanged.

        Raises PaasError ``backup-missing``, ``backup-key`` if it was encrypted with another key, or
        ``backup-damaged``, possibly after the sink got some. What the sink raises is passed on.
        """

    def listing(self, prefix: str) -> list[StoredObject]:
        """See `Objects`."""

    def delete(self, name: str) -> None:
        """See `Objects`."""
