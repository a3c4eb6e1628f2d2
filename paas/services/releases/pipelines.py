"""What users do with pipelines, but for promoting code."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from paas.domain.apps.apps import App
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.domain.releases.diffs import Difference
from paas.domain.releases.pipelines import (
    Pipeline,
    PipelineName,
    Stage,
    StageApp,
    targets,
)
from paas.domain.values.errors import PaasError, usage_error
from paas.interfaces import Clock
from paas.services.access import find_app, require_account
from paas.services.releases.diffs import Diffs
from paas.store import Store

PIPELINES_MAX = 100


@dataclass(frozen=True, slots=True)
class Downstream:
    """A pipeline seen from one of its apps. targets: where its code goes, of what one may see."""

    pipeline: Pipeline
    source: App
    targets: tuple[App, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipelines:
    """A pipeline is seen by its owner, and by those who may see one of its apps.

    What they see of it is the apps that they may see. Its owner and admins change it.
    """

    store: Store
    diffs: Diffs
    clock: Clock

    def listing(self, actor: Actor) -> list[Pipeline]:
        """Those that the actor sees, by name."""
        every = ((one, self.seen(actor, one)) for one in self.store.pipelines.all())
        return [seen for one, seen in every if seen.apps or _owns(actor, one)]

    def find(self, actor: Actor, name: str) -> Pipeline:
        """One of them. Raises PaasError."""
        return self._visible(actor, self.store.pipelines.find(name), name)

    def by_id(self, actor: Actor, id: int) -> Pipeline:
        """The same, by its number."""
        return self._visible(actor, self.store.pipelines.by_id(id), f"#{id}")

    def of_app(self, actor: Actor, name: str) -> tuple[Pipeline, StageApp]:
        """The pipeline of an app, and the app's place there. Raises PaasError if it has none."""
        app = find_app(self.store, actor, name, to=Permission.VIEW)
        found = self.store.pipelines.of_app(app.id)
        place = found.place(app.id) if found is not None else None
        if found is None or place is None:
            raise PaasError(
                "no-pipeline",
                f"{app.name} belongs to no pipeline.",
                f"Add it to one: paas pipelines:add PIPELINE -a {app.name} --stage staging",
            )
        return self.seen(actor, found), place

    def create(
        self,
        actor: Actor,
        name: PipelineName,
        app: str | None = None,
        stage: Stage = Stage.DEVELOPMENT,
    ) -> Pipeline:
        """A pipeline of the actor's own, with a first app if one is named."""
        found = (
            find_app(self.store, actor, app, to=Permission.CONFIGURE) if app is not None else None
        )
        require_account(actor, "create a pipeline")
        owner = actor.user.name if actor.user is not None else None
        if sum(one.owner == owner for one in self.store.pipelines.all()) >= PIPELINES_MAX:
            raise PaasError(
                "too-many-pipelines",
                f"You have {PIPELINES_MAX} pipelines, the most that a user may have.",
                "Remove one: paas pipelines:destroy NAME",
            )
        now = self.clock.now()
        with self.store.transaction():
            made = self.store.pipelines.create(name, owner, now)
            if found is not None:
                self.store.pipelines.put(made.id, found.id, stage, now)
        return self.find(actor, name)

    def add(self, actor: Actor, name: str, app: str, stage: Stage) -> StageApp:
        """Add an app to a pipeline, or give it another stage there."""
        found = find_app(self.store, actor, app, to=Permission.CONFIGURE)
        pipeline = self.find(actor, name)
        _require_owner(actor, pipeline)
        self.store.pipelines.put(pipeline.id, found.id, stage, self.clock.now())
        return self.of_app(actor, app)[1]

    def remove(self, actor: Actor, app: str) -> tuple[Pipeline, StageApp]:
        """Take an app out of its pipeline; returns both as they were."""
        found = find_app(self.store, actor, app, to=Permission.CONFIGURE)
        former = self.of_app(actor, app)
        self.store.pipelines.take_out(found.id)
        return former

    def destroy(self, actor: Actor, name: str) -> Pipeline:
        """Remove a pipeline; its apps stay as they are."""
        require_account(actor, "destroy a pipeline")
        pipeline = self.find(actor, name)
        _require_owner(actor, pipeline)
        self.store.pipelines.remove(pipeline.id)
        return pipeline

    def downstream(self, actor: Actor, name: str, wanted: Sequence[str]) -> Downstream:
        """Where an app's code would go: to the apps that are named, else to the next stage."""
        source = find_app(self.store, actor, name, to=Permission.VIEW)
        pipeline, place = self.of_app(actor, name)
        named = [find_app(self.store, actor, one, to=Permission.VIEW).id for one in wanted]
        apps = [self.app(one) for one in targets(pipeline, place, named)]
        return Downstream(pipeline, source, tuple(apps))

    def differences(self, actor: Actor, name: str, wanted: Sequence[str]) -> list[Difference]:
        """What each of these apps would get by a promotion."""
        found = self.downstream(actor, name, wanted)
        return [self.diffs.across(found.source, target) for target in found.targets]

    def app(self, place: StageApp) -> App:
        """The app at a place. Raises PaasError if it was destroyed just now."""
        found = self.store.apps.by_id(place.app_id)
        if found is None:
            raise PaasError("no-such-app", "An app of this pipeline has been removed.")
        return found

    def seen(self, actor: Actor, pipeline: Pipeline) -> Pipeline:
        """The pipeline with the apps that the actor may see."""
        apps = [(one, self.store.apps.by_id(one.app_id)) for one in pipeline.apps]
        visible = [one for one, app in apps if app and actor.may(Permission.VIEW, app)]
        return replace(pipeline, apps=tuple(visible))

    def _visible(self, actor: Actor, found: Pipeline | None, name: str) -> Pipeline:
        seen = self.seen(actor, found) if found is not None else None
        if found is None or seen is None or not (seen.apps or _owns(actor, found)):
            raise usage_error(
                "no-such-pipeline",
                f"There is no pipeline {name!r} that you may see.",
                "List those that there are: paas pipelines",
            )
        return seen


def _owns(actor: Actor, pipeline: Pipeline) -> bool:
    """Whether the actor may change it. A token that is limited does not stand for its user."""
    if actor.scope is not None:
        return False
    return actor.is_admin or (actor.user is not None and actor.user.name == pipeline.owner)


def _require_owner(actor: Actor, pipeline: Pipeline) -> None:
    if not _owns(actor, pipeline):
        owner = pipeline.owner or "an admin"
        raise PaasError(
            "pipeline-owner",
            f"The pipeline {pipeline.name} is changed by its owner, {owner}, and by admins.",
            f"Ask {owner}, or make a pipeline of your own: paas pipelines:create",
        )
