"""ps, ps:scale, ps:restart, ps:start, ps:stop, ps:type"""

from collections.abc import Mapping, Sequence

from paas.domain.apps.apps import App
from paas.domain.people.permissions import Permission
from paas.domain.releases.formation import wanted_quantities
from paas.domain.runtime.resources import SIZES, Resource, set_for
from paas.domain.values.names import ProcessType
from paas.entrypoints.operations.call import Call
from paas.services.apps.processes import Running


def listing(call: Call, *, app: str) -> list[dict[str, object]]:
    """The instances of an app, web first."""
    found = call.services.apps.find(call.actor, app, to=Permission.VIEW)
    release = call.services.store.releases.current(found)
    at = release.created_at if release is not None else found.created_at
    return [
        {
            "app": {"id": found.id, "name": found.name},
            "size": _size(found, item.instance.kind),
            "released_at": at.isoformat(),
            **_plain(item),
        }
        for item in call.services.processes.listing(call.actor, app)
    ]


def scale(call: Call, *, app: str, changes: Sequence[str]) -> list[dict[str, object]]:
    """The formation, after changes such as ``web=2`` and ``worker+1``, if there are any."""
    processes = call.services.processes
    if not changes:
        return _formation(call, app, processes.formation(call.actor, app))
    progress = call.accepting(lambda _, formation: _formation(call, app, formation))
    return _formation(call, app, processes.scale(call.actor, app, changes, progress))


def restart(call: Call, *, app: str, names: Sequence[str]) -> None:
    """Replace instances: all, those of a type (``web``), or one (``web.1``)."""
    progress = call.accepting(lambda _, __: None)
    call.services.processes.restart(call.actor, app, names, progress)


def start(call: Call, *, app: str, names: Sequence[str]) -> None:
    """Start what was stopped by hand: as `restart`."""
    progress = call.accepting(lambda _, __: None)
    call.services.processes.start(call.actor, app, names, progress)


def stop(call: Call, *, app: str, names: Sequence[str]) -> None:
    """End instances, until they are started by hand: as `restart`."""
    progress = call.accepting(lambda _, __: None)
    call.services.processes.stop(call.actor, app, names, progress)


def resize(call: Call, *, app: str, sizes: Sequence[str]) -> list[dict[str, object]]:
    """The formation, after sizes such as ``web=standard-1x`` have changed."""
    progress = call.accepting(lambda _, __: _formation(call, app, None, sizes))
    call.services.resources.resize(call.actor, app, sizes, progress)
    return _formation(call, app, None)


def _formation(
    call: Call,
    app: str,
    counts: Mapping[ProcessType, int] | None,
    sizes: Sequence[str] = (),
) -> list[dict[str, object]]:
    """counts: None: as the store has them. sizes: that are to be, as ``web=standard-1x``."""
    found = call.services.apps.find(call.actor, app, to=Permission.VIEW)
    store = call.services.store
    release = store.releases.current(found)
    slug = store.slugs.of_release(release)
    if slug is None or release is None:
        return []
    if counts is None:
        counts = wanted_quantities(slug, store.formations.of_app(found.id))
    changed = dict(size.split("=", 1) for size in sizes)
    return [
        {
            "app": {"id": found.id, "name": found.name},
            "type": kind,
            "quantity": count,
            "command": slug.processes.get(kind, ""),
            "size": changed.get(kind, _size(found, kind)),
            "updated_at": release.created_at.isoformat(),
        }
        for kind, count in counts.items()
    ]


def _size(app: App, kind: ProcessType) -> str | None:
    """The size of Heroku's that has the memory of a process type; None if there is none."""
    memory_mib = set_for(app.limits, kind).get(Resource.MEMORY)
    return {mib: name for name, mib in SIZES.items()}.get(memory_mib or 0)


def _plain(item: Running) -> dict[str, object]:
    since = item.state.since
    return {
        "type": item.instance.kind,
        "number": item.instance.number,
        "release": item.instance.version,
        "rollout": item.instance.rollout_id,
        "state": item.state.state.value,
        "since": since.isoformat() if since else None,
        "command": item.command,
    }
