"""A slug of one app from a slug of another, without a build."""

from dataclasses import dataclass, replace

from paas.domain.apps.apps import App
from paas.domain.releases.artifacts import NATIVE
from paas.domain.releases.formation import quantities
from paas.domain.releases.releases import Build, ConfigVars, Slug, Status
from paas.domain.values.errors import PaasError
from paas.interfaces import Clock, Slugs
from paas.services.builds.build import Push, SlugMaker
from paas.services.progress import Recorded
from paas.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class SlugCopies:
    """Copies slugs. maker: what a build would do besides building."""

    store: Store
    slugs: Slugs
    maker: SlugMaker
    clock: Clock

    def make(
        self, source: Slug, push: Push, build: Build, progress: Recorded
    ) -> tuple[Slug, ConfigVars]:
        """The slug of an app, whose lock is held, and the config of its release.

        The files get the app's own uid. Nothing is shared with the source, so that neither app can
        reach the other's files, and each slug is deleted by itself. Raises PaasError.
        """
        app, manifest = push.app, source.manifest
        self._refuse_containers(app, source)
        self.maker.make_datastores(push, manifest, progress)
        config = self.maker.declared(app, source.app_json, progress)
        formation = {**manifest.formation, **self.store.formations.of_app(app.id)}
        counts = quantities(source.processes, formation)
        self.maker.quotas.refuse_instances(push.actor, app, sum(counts.values()))
        with progress.doing("copying the slug"):
            self.slugs.copy(source.id, build.id, app.uid)
        # A slug is deleted after its record, so one with a record was whole all the time.
        if self.store.slugs.find(source.id) is None:
            raise slug_gone()
        progress.check()
        size_bytes = self.slugs.freeze(build.id)
        self.maker.quotas.refuse_full(push.actor, app, {build.id: size_bytes})
        now = self.clock.now()
        slug = replace(
            source,
            id=build.id,
            app_id=app.id,
            size_bytes=size_bytes,
            created_at=now,
            dependencies=None,
        )
        with self.store.transaction():
            self.store.slugs.add(slug)
            self.store.builds.end(replace(build, status=Status.SUCCEEDED, ended_at=now))
        return slug, config

    def _refuse_containers(self, app: App, source: Slug) -> None:
        engine = self.store.image_builds.settings(app.id).engine
        if source.image is not None or app.scheduling.on_nodes or engine != NATIVE:
            raise PaasError(
                "promotion-of-containers",
                f"{app.name} would run it in containers: images cannot be promoted yet.",
                f"Push the commit to it instead: git push REMOTE {source.commit[:8]}:"
                f"{app.deploy_branch or 'main'}",
            )


def slug_gone() -> PaasError:
    """The error if what is to be promoted was deleted meanwhile."""
    return PaasError(
        "slug-pruned",
        "The slug was pruned: there are newer releases by now.",
        "Promote the release that is live now: paas pipelines:promote",
    )
