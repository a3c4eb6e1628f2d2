"""pipelines and its kin"""

from collections.abc import Sequence

from paas.domain.apps.apps import App
from paas.domain.people.permissions import Permission
from paas.domain.releases.pipelines import Pipeline, StageApp, pipeline_name, stage_of
from paas.entrypoints.operations.call import Call
from paas.services.deploys.promotions import PromotionStatus


def listing(call: Call) -> list[dict[str, object]]:
    """The pipelines that the actor sees, with those of their apps that the actor sees."""
    return [_plain(call, one) for one in call.services.pipelines.listing(call.actor)]


def of_app(call: Call, *, app: str, version: int | None = None) -> dict[str, object]:
    """The pipeline of an app, and its place there; what became of promotions of that release."""
    pipeline, place = call.services.pipelines.of_app(call.actor, app)
    return {
        "pipeline": _plain(call, pipeline),
        "place": _place(call, place),
        "promotions": _promotions(call, app, version) if version is not None else [],
    }


def create(call: Call, *, name: str) -> dict[str, object]:
    """A pipeline of the actor's own, without apps yet."""
    return _plain(call, call.services.pipelines.create(call.actor, pipeline_name(name)))


def add(call: Call, *, app: str, pipeline: str, stage: str) -> dict[str, object]:
    """Add an app to a pipeline, or give it another stage there."""
    call.services.pipelines.add(call.actor, pipeline, app, stage_of(stage))
    return of_app(call, app=app)


def remove(call: Call, *, app: str) -> dict[str, object]:
    """Take an app out of its pipeline; returns both as they were."""
    pipeline, place = call.services.pipelines.remove(call.actor, app)
    return {"pipeline": _plain(call, pipeline), "place": _place(call, place)}


def destroy(call: Call, *, name: str) -> dict[str, object]:
    """Remove a pipeline; its apps stay."""
    return _plain(call, call.services.pipelines.destroy(call.actor, name))


def promote(call: Call, *, app: str, to: Sequence[str]) -> dict[str, object]:
    """Promote what an app runs to others; answered once the first release there is recorded."""
    found = call.services.apps.find(call.actor, app, to=Permission.DEPLOY)
    made: dict[str, object] = {"version": found.current}
    progress = call.accepting(lambda *_: made)
    call.services.promotions.promote(call.actor, app, to, progress)
    return made


def _promotions(call: Call, app: str, version: int) -> list[dict[str, object]]:
    return [_status(one) for one in call.services.promotions.status(call.actor, app, version)]


def _status(one: PromotionStatus) -> dict[str, object]:
    release = one.release
    return {
        "app": _app(one.app),
        "version": release.version,
        "status": release.status.value,
        "created_at": release.created_at.isoformat(),
    }


def _plain(call: Call, one: Pipeline) -> dict[str, object]:
    return {
        "id": one.id,
        "name": one.name,
        "owner": one.owner,
        "created_at": one.created_at.isoformat(),
        "apps": [_place(call, place) for place in one.apps],
    }


def _place(call: Call, place: StageApp) -> dict[str, object]:
    return {
        "id": place.id,
        "app": _app(call.services.pipelines.app(place)),
        "stage": str(place.stage),
        "added_at": place.added_at.isoformat(),
    }


def _app(app: App) -> dict[str, object]:
    return {"id": app.id, "name": app.name}
