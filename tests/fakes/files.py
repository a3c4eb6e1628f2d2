"""Slugs, pages and storage directories, without their files."""

from pathlib import Path

from paas.domain.routing.sites import SlugFolder
from paas.domain.values.errors import PaasError


class FakeSlugs:
    """Slug directories as sets of names."""

    def __init__(self) -> None:
        self.building: set[str] = set()
        self.frozen: set[str] = set()
        self.narrowed = ""
        self.caches: dict[int, int] = {}
        self.pages: set[str] = set()
        self.missing: set[tuple[str, str]] = set()
        self.full = False
        self.disk_failure: PaasError | None = None

    def new_build(self, build_id: str, uid: int) -> Path:
        self.building.add(build_id)
        return Path("/builds") / build_id

    def narrow(self, build_id: str, folder: str) -> None:
        self.narrowed = folder

    def freeze(self, build_id: str) -> int:
        self.building.remove(build_id)
        self.frozen.add(build_id)
        return 4096

    def begin_writing(self) -> None:
        """There is no disk."""

    def await_disk(self) -> None:
        if self.disk_failure is not None:
            raise self.disk_failure

    def path(self, slug_id: str) -> Path:
        return Path("/slugs") / slug_id

    def page(self, slug_id: str, name: str) -> Path | None:
        return Path("/slugs") / slug_id / name if slug_id in self.pages else None

    def folder(self, slug_id: str, name: str) -> SlugFolder | None:
        missing = (slug_id, name) in self.missing
        return None if missing else SlugFolder(self.path(slug_id), name)

    def remove(self, slug_id: str) -> None:
        self.building.discard(slug_id)
        self.frozen.discard(slug_id)

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

    def damage(self, slug_id: str) -> str | None:
        return None if slug_id in self.frozen else f"are gone from /slugs/{slug_id}"

    def check_room(self) -> None:
        self.check_space()

    def check_space(self) -> None:
        if self.full:
            raise PaasError("disk-full", "The server's disk is full.")


class FakePages:
    """Pages in a dict."""

    def __init__(self) -> None:
        self.contents: dict[int, bytes] = {}

    def maintenance(self, app_id: int) -> Path | None:
        return Path("/pages") / f"{app_id}.html" if app_id in self.contents else None

    def set_maintenance(self, app_id: int, content: bytes) -> None:
        self.contents[app_id] = content

    def remove(self, app_id: int) -> bool:
        return self.contents.pop(app_id, None) is not None


class FakeStorage:
    """Storage directories as a set of ids."""

    def __init__(self) -> None:
        self.there: set[tuple[int, int]] = set()

    def create(self, app_id: int, storage_id: int, uid: int) -> None:
        self.there.add((app_id, storage_id))

    def size_bytes(self, app_id: int, storage_id: int) -> int:
        return 4096

    def all(self, app_id: int) -> list[int]:
        return sorted(id for app, id in self.there if app == app_id)

    def damage(self, app_id: int, storage_id: int, uid: int) -> str | None:
        path = f"/storage/{app_id}/{storage_id}"
        return None if (app_id, storage_id) in self.there else f"is gone from {path}"

    def remove(self, app_id: int, storage_id: int | None = None) -> None:
        self.there = {x for x in self.there if x[0] != app_id or storage_id not in (None, x[1])}
