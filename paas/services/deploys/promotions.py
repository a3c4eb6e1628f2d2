"""Promotions: the code that one app runs becomes a release of the next one, without a build."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from paas.domain.apps.apps import App
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.domain.releases.pipelines import Promotion
from paas.domain.releases.releases import Release, Slug
from paas.domain.values.errors import PaasError
from paas.interfaces import Progress
from paas.services.access import find_app, require
from paas.services.apps.maintenance import refuse_locked
from paas.services.builds.build import Push
from paas.services.builds.copies import SlugCopies, slug_gone
from paas.services.deploys.deploys import Deploys, Origin
from paas.services.releases.pipelines import Pipelines
from paas.store import Store


@dataclass(frozen=True, slots=True)
class PromotionStatus:
    """What became of a promotion to an app."""

    app: App
    release: Release


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotions:
    """Promotes what an app runs at the moment of the command."""

    store: Store
    pipelines: Pipelines
    deploys: Deploys
    copies: SlugCopies

    def promote(
        self, actor: Actor, name: str, wanted: Sequence[str], progress: Progress
    ) -> list[App]:
        """Promote to the apps that are named, else to those of the next stage; returns them.

        All of them are checked before the first one is changed. They get it one after the other; if
        one does not come up, it keeps running what it ran, and those after it are left alone.
        """
        find_app(self.store, actor, name, to=Permission.DEPLOY)
        found = self.pipelines.downstream(actor, name, wanted)
        release, slug = self._current(found.source)
        for target in found.targets:
            require(actor, target, Permission.DEPLOY)
            refuse_locked(self.store, target)
        for number, target in enumerate(found.targets):
            progress.step(f"Promoting {found.source.name} v{release.version} to {target.name}")
            try:
                self._promote(actor, found.source, (release, slug), target, progress)
            except PaasError:
                if left := ", ".join(one.name for one in found.targets[number + 1 :]):
                    progress.warn(f"Nothing was promoted to {left}.")
                raise
        return list(found.targets)

    def status(self, actor: Actor, name: str, version: int) -> list[PromotionStatus]:
        """What became of the promotions of an app's release, for the apps that one may see."""
        app = find_app(self.store, actor, name, to=Permission.VIEW)
        found = []
        for one in self.store.pipelines.promoted(app.id, version):
            target = self.store.apps.by_id(one.app_id)
            release = self.store.releases.find(one.app_id, one.version)
            if target and release and actor.may(Permission.VIEW, target):
                found.append(PromotionStatus(target, release))
        return found

    def _current(self, source: App) -> tuple[Release, Slug]:
        release = self.store.releases.current(source)
        if release is None or release.slug_id is None:
            raise PaasError(
                "not-deployed",
                f"{source.name} has not been deployed yet, so there is nothing to promote.",
                "git push deploy main",
            )
        slug = self.store.slugs.find(release.slug_id)
        if slug is None:
            raise slug_gone()
        return release, slug

    def _promote(
        self,
        actor: Actor,
        source: App,
        what: tuple[Release, Slug],
        target: App,
        progress: Progress,
    ) -> None:
        release, slug = what

        def released(new: Release) -> None:
            self.store.pipelines.note(Promotion(target.id, new.version, source.id, release.version))

        origin = Origin(
            words=f"Promote {source.name} v{release.version} ({slug.commit[:8]})",
            make=partial(self.copies.make, slug),
            released=released,
        )
        self.deploys.deploy(Push(target, slug.commit, None, actor), progress, origin)
