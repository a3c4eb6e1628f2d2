"""Commits from elsewhere that are there at once."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from paas.domain.apps.apps import App
from paas.domain.git.credentials import FetchAccess, HostKey, HostToken
from paas.domain.git.sources import GitSource
from paas.domain.git.statuses import StatusRequest
from paas.domain.values.errors import PaasError
from paas.interfaces import Archive, FetchedBuildpacks, Imported, Quarantine


class FakeImporter:
    """Importer: every source has the commit that a test says, but for the missing ones."""

    def __init__(self) -> None:
        self.commit = "c" * 40
        self.failure: PaasError | None = None
        self.missing: set[object] = set()
        self.asked: list[tuple[object, str | None]] = []
        self.kept: dict[tuple[int, str], str] = {}
        self.access: FetchAccess | None = None
        self.host_keys: tuple[HostKey, ...] = ()
        self.open = 0
        self.during: Callable[[], None] = lambda: None

    @contextmanager
    def fetched(
        self,
        app: App,
        source: GitSource,
        access: FetchAccess,
        head: str | None,
        output: Callable[[bytes], None],
    ) -> Iterator[Imported]:
        self.access = access
        with self._imported(source, head) as imported:
            yield imported

    @contextmanager
    def unpacked(
        self, app: App, archive: Archive, head: str | None, output: Callable[[bytes], None]
    ) -> Iterator[Imported]:
        with self._imported(archive, head) as imported:
            yield imported

    @contextmanager
    def _imported(self, source: object, head: str | None) -> Iterator[Imported]:
        self.asked.append((source, head))
        if self.failure is not None:
            raise self.failure
        if source in self.missing:
            raise PaasError("not-fetched", "The repository could not be fetched.")
        self.during()
        self.open += 1
        try:
            yield Imported(self.commit, Quarantine(Path("/quarantine")), self.host_keys)
        finally:
            self.open -= 1

    def keep(self, app_id: int, imported: Imported, branch: str) -> None:
        self.kept[app_id, branch] = imported.commit

    def left(self, app_id: int) -> bool:
        return False

    def clear(self, app_id: int) -> bool:
        return False


class FakeBuildpackFetcher:
    """Buildpacks: notes which were asked for, each of which is a directory."""

    def __init__(self) -> None:
        self.asked: list[GitSource] = []
        self.access: FetchAccess | None = None
        self.host_keys: tuple[HostKey, ...] = ()

    @contextmanager
    def fetched(
        self,
        app: App,
        sources: Sequence[GitSource],
        access: FetchAccess,
        output: Callable[[bytes], None],
        check: Callable[[], None],
    ) -> Iterator[FetchedBuildpacks]:
        self.asked += sources
        self.access = access
        places = [Path(f"/fetched/{place}") for place in range(len(sources))]
        yield FetchedBuildpacks(tuple(places), self.host_keys)


class FakeSubmodules:
    """Submodules: notes which were asked for, or fails as told."""

    def __init__(self) -> None:
        self.fetched: dict[str, str] = {}
        self.access: FetchAccess | None = None
        self.failure: PaasError | None = None

    def fetch(
        self,
        app: App,
        tree: Path,
        links: Mapping[str, str],
        access: FetchAccess,
        output: Callable[[bytes], None],
        check: Callable[[], None],
    ) -> tuple[HostKey, ...]:
        if self.failure is not None:
            raise self.failure
        self.fetched = dict(links)
        self.access = access
        return ()


class FakeStatuses:
    """CommitStatuses: notes what is sent and with which token, or fails as told."""

    def __init__(self) -> None:
        self.sent: list[tuple[StatusRequest, HostToken]] = []
        self.failure: PaasError | None = None

    def send(self, app: App, request: StatusRequest, token: HostToken) -> None:
        if self.failure is not None:
            raise self.failure
        self.sent.append((request, token))
