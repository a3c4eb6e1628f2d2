"""A trash in memory: what is lost leaves the other fakes."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from paas.adapters.proxy.pages_files import FilePages
from paas.adapters.system.storage_files import FileStorage
from paas.domain.releases.releases import Instance
from paas.domain.runtime.workloads import Workload
from paas.domain.server.trash import TrashItem
from paas.domain.values.names import ProcessType
from tests.fakes.certificates import FakeCertificateFiles
from tests.fakes.files import FakeSlugs
from tests.fakes.proxy import FakeProxy
from tests.fakes.repository import FakeRepository
from tests.fakes.runtime import FakeRuntime


class Places(Protocol):
    """Where things are."""

    repository: FakeRepository
    slugs: FakeSlugs
    folder: Path
    pages: FilePages
    storage_files: FileStorage
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
        storage = {int(path.name) for path in places.folder.glob("storage/*")}
        pages = {int(path.stem) for path in places.folder.glob("pages/*")}
        return places.repository.created | slugs | storage | pages

    def move_app(self, app_id: int, why: str) -> int:
        if app_id not in self.app_ids():
            return 0
        places = self._places
        places.repository.created.discard(app_id)
        places.pages.remove(app_id)
        for name in (places.slugs.building, places.slugs.frozen):
            name -= {id for id in name if id.startswith(f"{app_id}-")}
        places.storage_files.remove(app_id)
        return self._take(f"app {app_id}")

    def move_slug(self, slug_id: str, why: str) -> int:
        slugs = self._places.slugs
        if slugs.path(slug_id) in self._in_use() or slug_id not in slugs.building | slugs.frozen:
            return 0
        slugs.remove(slug_id)
        return self._take(f"slug {slug_id}")

    def move_storage(self, app_id: int, storage_id: int, why: str) -> int:
        if storage_id not in self._places.storage_files.all(app_id):
            return 0
        self._places.storage_files.remove(app_id, storage_id)
        return self._take(f"storage {app_id}/{storage_id}")

    def move_certificate(self, id: str, why: str) -> int:
        if id not in self._places.certificate_files.all():
            return 0
        self._places.certificate_files.remove(id)
        return self._take(f"certificate {id}")

    def move_store(self, why: str) -> int:
        return self._take("the database")

    def copy_store(self, why: str) -> int:
        return self._take("the latest copy of the database")

    def copy_group(self, group: str, why: str) -> int:
        return self._take(f"group {group}")

    def copy_site(self, app_id: int, why: str) -> int:
        return self._take(f"site {app_id}")

    def groups(self) -> set[str]:
        return {started.group for started in self._places.runtime.files.values()}

    def running(self, group: str, rollout_id: int | None) -> list[Instance]:
        found = map(_instance, self._places.runtime.files.values())
        return [replace(i, kept=rollout_id) for i in found if i.group == group]

    def listing(self) -> list[TrashItem]:
        at = datetime(2026, 1, 1, tzinfo=UTC)
        return [TrashItem(str(number), what, (), at, "") for number, what in enumerate(self.there)]

    def size_bytes(self) -> int:
        return 4096 * len(self.there)

    def empty(self) -> int:
        count = len(self.there)
        self.there.clear()
        return count

    def _in_use(self) -> set[Path]:
        found = [started.artifact for started in self._places.runtime.files.values()]
        return {artifact.directory for artifact in found if artifact is not None}

    def _take(self, what: str) -> int:
        self.there.append(what)
        return 1


def _instance(started: Workload) -> Instance:
    """The instance that has those files."""
    app_id, version, rollout_id = started.group.split("-")
    kind, _, number = started.label.rpartition(".")
    port = started.ports[0] if started.ports else None
    return Instance(
        int(app_id), int(version[1:]), int(rollout_id), ProcessType(kind), int(number), port
    )
