"""Archives that programs upload for a build."""

from collections.abc import Iterator
from typing import BinaryIO, Protocol

from paas.domain.builds.uploads import Upload
from paas.domain.values.secret import Secret


class Uploads(Protocol):
    """Places for archives, by their secrets. Each is there for LIFETIME."""

    def issue(self, upload: Upload) -> Secret:
        """Keep a place. A user has PER_USER at most; the oldest give way, with what is in them."""

    def find(self, secret: Secret) -> Upload | None:
        """The place of a secret."""

    def store(self, secret: Secret, pieces: Iterator[bytes]) -> int:
        """Put an archive there, in place of the former one; its size in bytes.

        If pieces raises, the place is as it was before. Raises PaasError if one is being stored
        there now.
        """

    def open(self, secret: Secret) -> BinaryIO | None:
        """The archive; None if there is none yet."""

    def remove(self, secret: Secret) -> None:
        """Give up a place, and what is in it. Whoever has opened it reads on."""

    def expire(self) -> None:
        """Remove all whose time is over."""
