"""Images from elsewhere: of a registry, or of a file."""

from collections.abc import Callable, Sequence
from typing import BinaryIO, Protocol

from paas.domain.builds.build_values import RegistryLogin
from paas.domain.builds.images import ImageReference


class ImageSource(Protocol):
    """Where the images come from that a Dockerfile of one line names."""

    def digest(self, reference: ImageReference, logins: Sequence[RegistryLogin]) -> str:
        """What a registry has under that name now, as ``sha256:...``. Nothing is fetched.

        Raises PaasError if it has none, or may not be asked.
        """

    def load(self, app_id: int, archive: BinaryIO, check: Callable[[], None]) -> str:
        """Take the one image of what ``docker save`` wrote; returns a name that only this app has.

        The names in the archive are not taken: they could be the base images of other apps. check:
        called often; what it raises ends it. Raises PaasError if it is no image.
        """

    def forget_loaded(self, app_id: int, keep: str | None = None) -> None:
        """Delete the images that were loaded for an app, but for one name."""
