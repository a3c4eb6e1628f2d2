"""Images from elsewhere, in memory."""

from collections.abc import Callable, Sequence
from typing import BinaryIO

from paas.domain.builds.build_values import RegistryLogin
from paas.domain.builds.images import ImageReference
from paas.domain.values.errors import PaasError


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
            raise PaasError("image-archive", "This is not an image: it is not a whole tar archive.")
        self.count += 1
        name = f"paas-loaded/{app_id}-{self.count}:latest"
        self.loaded.setdefault(app_id, []).append(name)
        return name

    def forget_loaded(self, app_id: int, keep: str | None = None) -> None:
        self.loaded[app_id] = [name for name in self.loaded.get(app_id, ()) if name == keep]
