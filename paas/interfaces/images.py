"""Images that no Dockerfile makes: those from elsewhere, and those of slugs."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO, Protocol

from paas.domain.apps.apps import App
from paas.domain.builds.build_values import RegistryLogin
from paas.domain.builds.images import ImageReference
from paas.domain.builds.runtime_image import RuntimeImage
from paas.domain.releases.artifacts import Image
from paas.interfaces.output import Progress


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


class SlugImages(Protocol):
    """Images of what buildpacks made, on the runtime image."""

    def make(
        self,
        app: App,
        tree: Path,
        progress: Progress,
        *,
        port: int | None = None,
        dependencies: Path | None = None,
    ) -> tuple[Image, int]:
        """The image of a finished build, and the size of its layer in bytes.

        tree: the build's directory, which has its id as its name; `Slugs.remove` removes the image.
        The runtime image is built if it is missing or old. port: what ``ports:set`` says.
        dependencies: see Artifact.
        Raises PaasError.
        """

    def runtime(self) -> RuntimeImage | None:
        """The runtime image; None: it was not made yet. Raises PaasError."""

    def renew_runtime(self, progress: Progress) -> RuntimeImage:
        """Build it again. If that fails, raises PaasError and keeps the former one."""
