"""Images from elsewhere, and those of slugs, in memory."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from paas.domain.apps.apps import App
from paas.domain.builds.build_values import RegistryLogin
from paas.domain.builds.images import ImageReference
from paas.domain.builds.runtime_image import RuntimeImage, runtime_name
from paas.domain.releases.artifacts import IMAGE_PORT, Image
from paas.domain.values.errors import PaasError
from paas.interfaces import Progress


class FakeImageSource:
    """`ImageSource` of paas/interfaces. digests: by reference. loaded: the names, by app."""

    def __init__(self) -> None:
        self.digests: dict[str, str] = {}
        self.logins: list[RegistryLogin] = []
        self.loaded: dict[int, list[str]] = {}
        self.count = 0

    def digest(self, reference: ImageReference, logins: Sequence[RegistryLogin]) -> str:
        self.logins = list(logins)
        if str(reference) not in self.digests:
            raise PaasError("image-not-found", f"{reference} was not found: it is not there.")
        return self.digests[str(reference)]

    def load(self, app_id: int, archive: BinaryIO, check: Callable[[], None]) -> str:
        check()
        if archive.read() != b"image":
            why = "it is not a complete tar archive"
            raise PaasError("image-archive", f"This is not an image: {why}.")
        self.count += 1
        name = f"paas-loaded/{app_id}-{self.count}:latest"
        self.loaded.setdefault(app_id, []).append(name)
        return name

    def forget_loaded(self, app_id: int, keep: str | None = None) -> None:
        self.loaded[app_id] = [name for name in self.loaded.get(app_id, ()) if name == keep]


class FakeSlugImages:
    """`SlugImages` of paas/interfaces. made: the names of the builds. failure: of each making."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.failure: PaasError | None = None
        self.base: RuntimeImage | None = None
        self.renewals = 0

    def make(
        self,
        app: App,
        tree: Path,
        progress: Progress,
        *,
        port: int | None = None,
        dependencies: Path | None = None,
    ) -> tuple[Image, int]:
        if self.failure is not None:
            raise self.failure
        if self.base is None:
            self.renew_runtime(progress)
        self.made.append(tree.name)
        return Image(f"sha256:{len(self.made):064x}", port or IMAGE_PORT, slug=True), 1_000

    def runtime(self) -> RuntimeImage | None:
        return self.base

    def renew_runtime(self, progress: Progress) -> RuntimeImage:
        if self.failure is not None:
            raise self.failure
        self.renewals += 1
        made_at = datetime(2026, 1, 1, tzinfo=UTC)
        name = runtime_name("x", made_at)
        self.base = RuntimeImage(f"sha256:{self.renewals:064x}", name, made_at, 1_000)
        return self.base
