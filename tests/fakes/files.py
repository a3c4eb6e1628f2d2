"""Slugs without their files."""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from paas.domain.releases.artifacts import Artifact, Image
from paas.domain.routing.sites import SlugFolder
from paas.domain.values.errors import PaasError


class FakeSlugs:
    """Slug directories as sets of names."""

    def __init__(self) -> None:
        self.building: set[str] = set()
        self.frozen: set[str] = set()
        self.narrowed = ""
        self.caches: dict[int, int] = {}
        # The layers of each app, and what they take.
        self.dependencies: dict[int, dict[str, int]] = {}
        self.pages: set[str] = set()
        self.missing: set[tuple[str, str]] = set()
        self.full = False
        self.low = False
        self.disk_failure: PaasError | None = None
        self.lost_images: set[str] = set()
        # What happens while a slug is copied.
        self.meanwhile: Callable[[], None] = lambda: None

    def new_build(self, build_id: str, uid: int) -> Path:
        self.building.add(build_id)
        return Path("/builds") / build_id

    def keep_only(self, build_id: str, folder: str) -> None:
        self.narrowed = folder

    def copy(self, slug_id: str, build_id: str, uid: int) -> None:
        if slug_id not in self.frozen:
            raise PaasError("command-failed", f"There are no files of {slug_id}.")
        self.building.add(build_id)
        self.meanwhile()

    def freeze(self, build_id: str) -> int:
        self.building.remove(build_id)
        self.frozen.add(build_id)
        return 4096

    def begin_sync(self) -> None:
        """There is no disk."""

    def wait_for_sync(self) -> None:
        if self.disk_failure is not None:
            raise self.disk_failure

    def path(self, slug_id: str) -> Path:
        return Path("/slugs") / slug_id

    def artifact(self, slug_id: str, image: Image | None = None) -> Artifact:
        return Artifact(self.path(slug_id), image)

    def page(self, slug_id: str, name: str) -> Path | None:
        return Path("/slugs") / slug_id / name if slug_id in self.pages else None

    def folder(self, slug_id: str, name: str) -> SlugFolder | None:
        missing = (slug_id, name) in self.missing
        return None if missing else SlugFolder(self.path(slug_id), name)

    def remove(self, slug_id: str) -> None:
        self.building.discard(slug_id)
        self.frozen.discard(slug_id)

    def dependency_bytes(self, app_id: int) -> Mapping[str, int]:
        return self.dependencies.get(app_id, {})

    def remove_dependencies(self, app_id: int, unused: Collection[str]) -> None:
        for name in unused:
            self.dependencies.get(app_id, {}).pop(name, None)

    def remove_cache(self, app_id: int) -> None:
        self.caches.pop(app_id, None)

    def empty_cache(self, app_id: int) -> None:
        self.caches.pop(app_id, None)

    def cache_bytes(self, app_id: int) -> int:
        return self.caches.get(app_id, 0)

    def unfinished(self) -> list[str]:
        return sorted(self.building)

    def slugs(self) -> list[str]:
        return sorted(self.frozen)

    def damage(self, slug_id: str, image: Image | None = None) -> str | None:
        if image is not None and image.id in self.lost_images:
            return f"need the image {image.id}, which the Docker engine does not have"
        return None if slug_id in self.frozen else f"are gone from /slugs/{slug_id}"

    def check_writable(self) -> None:
        if self.full:
            raise PaasError("disk-full", "The server's disk is full.")

    def check_free_space(self) -> None:
        self.check_writable()
        if self.low:
            raise PaasError("disk-full", "The server's disk is full: the rest is the platform's.")
