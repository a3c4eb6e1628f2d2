"""A trash in memory: what is lost leaves the other fakes."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from paas.domain.releases.releases import Instance
from paas.domain.server.lost import Lost
from tests.fakes.certificates import FakeCertificateFiles
from tests.fakes.files import FakePages, FakeSlugs, FakeStorage
from tests.fakes.proxy import FakeProxy
from tests.fakes.repository import FakeRepository
from tests.fakes.runtime import FakeRuntime


class Places(Protocol):
    """Where things are."""

    repository: FakeRepository
    slugs: FakeSlugs
    pages: FakePages
    storage_files: FakeStorage
    certificate_files: FakeCertificateFiles
    runtime: FakeRuntime
    proxy: FakeProxy


class FakeTrash:
    """`Trash` of paas/interfaces. there: what is in it, as ``app 7``."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self.there: list[str] = []

    def app_ids(self) -> set[int]:
        places = self._places
        slugs = {int(id.partition("-")[0]) for id in places.slugs.building | places.slugs.frozen}
        storage = {app_id for app_id, _ in places.storage_files.there}
        return places.repository.created | slugs | storage | set(places.pages.contents)

    def lose_app(self, app_id: int, why: str) -> int:
        places = self._places
        places.repository.created.discard(app_id)
        places.pages.contents.pop(app_id, None)
        for name in (places.slugs.building, places.slugs.frozen):
            name -= {id for id in name if id.startswith(f"{app_id}-")}
        storage = places.storage_files
        storage.there = {pair for pair in storage.there if pair[0] != app_id}
        return self._take(f"app {app_id}")

    def lose_slug(self, slug_id: str, why: str) -> int:
        if self._places.slugs.path(slug_id) in self._in_use():
            return 0
        self._places.slugs.remove(slug_id)
        return self._take(f"slug {slug_id}")

    def lose_storage(self, app_id: int, storage_id: int, why: str) -> int:
        self._places.storage_files.remove(app_id, storage_id)
        return self._take(f"storage {app_id}/{storage_id}")

    def lose_certificate(self, id: str, why: str) -> int:
        self._places.certificate_files.remove(id)
        return self._take(f"certificate {id}")

    def lose_store(self, why: str) -> int:
        return self._take("the database")

    def keep_copy(self, why: str) -> int:
        return self._take("the latest copy of the database")

    def keep_group(self, group: str, why: str) -> int:
        return self._take(f"group {group}")

    def keep_site(self, app_id: int, why: str) -> int:
        return self._take(f"site {app_id}")

    def groups(self) -> set[str]:
        return {started.instance.group for started in self._places.runtime.files.values()}

    def running(self, group: str, rollout_id: int | None) -> list[Instance]:
        found = [started.instance for started in self._places.runtime.files.values()]
        return [replace(i, kept=rollout_id) for i in found if i.group == group]

    def listing(self) -> list[Lost]:
        at = datetime(2026, 1, 1, tzinfo=UTC)
        return [Lost(str(number), what, (), at, "") for number, what in enumerate(self.there)]

    def size_bytes(self) -> int:
        return 4096 * len(self.there)

    def empty(self) -> int:
        count = len(self.there)
        self.there.clear()
        return count

    def _in_use(self) -> set[Path]:
        return {started.slug for started in self._places.runtime.files.values()}

    def _take(self, what: str) -> int:
        self.there.append(what)
        return 1
