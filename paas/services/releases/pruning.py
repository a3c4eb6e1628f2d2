"""Removing the slugs, and the parts of caches, that nothing needs any longer."""

from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from paas.domain.builds.cache_records import BUILDS_KEPT
from paas.domain.releases.artifacts import DOCKER
from paas.domain.releases.history import prunable
from paas.domain.values.errors import PaasError
from paas.interfaces import Engines, Slugs
from paas.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruning:
    """Keeps each app's slugs within two limits, a number and a size."""

    store: Store
    slugs: Slugs
    engines: Engines
    keep_slugs: int
    keep_slugs_mib: int

    def prune(self, app_id: int, *, failed: bool = False) -> None:
        """Remove the slugs that nothing needs and that are beyond the limits.

        failed: after a deploy that failed, whose builder need not be that of the live release.
        """
        app = self.store.apps.by_id(app_id)
        gone = prunable(
            self.store.slugs.of_app(app_id),
            self.store.releases.of_app(app_id),
            app.current if app else None,
            keep=self.keep_slugs,
            max_bytes=self.keep_slugs_mib * 1024**2,
            layers=self.slugs.dependency_bytes(app_id),
        )
        runs = [run for engine in self.engines.all() for run in engine.runs.listing(app_id)]
        in_use = {run.slug_id for run in runs}
        for instance in self.store.instances.of_app(
            app_id
        ):  # including one that finishes its last requests
            release = self.store.releases.find(app_id, instance.version)
            in_use |= {release.slug_id} if release and release.slug_id else set()
        for slug in gone:
            if slug.id in in_use:
                continue  # the next deploy removes it
            self.store.slugs.remove(slug.id)
            self.slugs.remove(slug.id)
        self._prune_dependencies(app_id)
        names = self.engines.names()
        engine = DOCKER if failed and DOCKER in names else app.engine if app is not None else None
        if engine in names:
            with suppress(PaasError):  # the next deploy does it
                spans = partial(self.store.builds.spans, BUILDS_KEPT)
                self.engines.named(engine).builder.keep_cache(spans)

    def _prune_dependencies(self, app_id: int) -> None:
        """Those of builds that the store never knew stay: a newer store may come back."""
        used = {slug.dependencies for slug in self.store.slugs.of_app(app_id)}
        unused = set(self.slugs.dependency_bytes(app_id)) - used
        if unused:
            unused &= {build.id for build in self.store.builds.of_app(app_id)}
        self.slugs.remove_dependencies(app_id, unused)
