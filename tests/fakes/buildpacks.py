"""A builder and a catalog of buildpacks in memory."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path

from paas.domain.apps.apps import App
from paas.domain.builds.builders import DockerfileBuild
from paas.domain.builds.buildpacks import Buildpack
from paas.domain.builds.cache_records import Span
from paas.domain.releases.releases import ConfigVars
from paas.domain.values.errors import PaasError
from paas.domain.values.names import ProcessType
from paas.interfaces import Built


class FakeBuilder:
    """`Builder` of paas/interfaces that builds nothing, or fails as told.

    built and processes: what comes of it. meanwhile: what else happens during a build. kept: for
    which builds the shared cache was kept. shares_cache: whether there is one.
    """

    def __init__(self, *, shares_cache: bool = False) -> None:
        self._shares_cache = shares_cache
        self.failure: PaasError | None = None
        self.processes: dict[ProcessType, str] = {}
        self.built = Built("fake", {})
        self.used: list[str] = []
        self.dockerfile: DockerfileBuild | None = None
        self.shares_dependencies = False
        self.meanwhile: Callable[[], None] = lambda: None
        self.interrupted: set[int] = set()
        self.kept: list[Span] = []

    def expecting(self) -> AbstractContextManager[None]:
        return nullcontext()

    def build(
        self,
        app: App,
        tree: Path,
        config: ConfigVars,
        output: Callable[[bytes], None],
        *,
        buildpacks: Sequence[Buildpack] = (),
        dockerfile: DockerfileBuild | None = None,
        commit: str = "",
        share_dependencies: bool = False,
        check: Callable[[], None] = lambda: None,
    ) -> Built:
        self.used = [pack.source for pack in buildpacks]
        self.dockerfile = dockerfile
        self.shares_dependencies = share_dependencies
        output(b"-----> Fake app detected")
        self.meanwhile()
        check()
        if self.failure is not None:
            raise self.failure
        return replace(self.built, processes=dict(self.processes))

    def left(self, app_id: int) -> bool:
        return app_id in self.interrupted

    def clear(self, app_id: int) -> bool:
        found = app_id in self.interrupted
        self.interrupted.discard(app_id)
        return found

    def keep_cache(self, used: Callable[[], Sequence[Span]]) -> int:
        self.kept = list(used()) if self._shares_cache else []
        return 0


class FakeCatalog:
    """Two buildpacks of the platform's, and one directory that is one."""

    def names(self) -> tuple[str, ...]:
        return ("python", "node")

    def why_not(self, directory: str) -> str | None:
        return None if directory == "/srv/mine" else f"There is no directory {directory}."
