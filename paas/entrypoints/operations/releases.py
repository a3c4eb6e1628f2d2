"""releases, releases:info, releases:output, diff, releases:retry, rollback"""

from paas.domain.apps.apps import App
from paas.domain.people.permissions import Permission
from paas.domain.releases.diffs import sections
from paas.domain.releases.history import can_roll_back
from paas.domain.releases.releases import Release, Status
from paas.domain.values.names import plain_output
from paas.entrypoints.operations.call import Call

# Of the list; an older one can be asked for by its version.
_MOST = 1_000
# Of an output.
_LINES_MAX = 2_000


def listing(call: Call, *, app: str, follow: bool) -> list[dict[str, object]]:
    """The releases of an app, newest first. follow: with the secret of the newest one's output."""
    found = call.services.apps.find(call.actor, app, to=Permission.VIEW)
    rows = call.services.store.releases.of_app(found.id)[:_MOST]
    return [
        _plain(call, found, release) | _output(call, found, release, follow and place == 0)
        for place, release in enumerate(rows)
    ]


def info(call: Call, *, app: str, version: int | None, follow: bool = False) -> dict[str, object]:
    """One release, by default the latest. follow: with the secret of its output."""
    found = call.services.releases.info(call.actor, app, version)
    return _plain(call, found.app, found.release) | _output(call, found.app, found.release, follow)


def diff(call: Call, *, app: str, old: int, new: int) -> dict[str, object]:
    """What differs between two releases. old: 0 stands for nothing."""
    found = call.services.diffs.between(call.actor, app, old, new)
    return {
        "from": found.old,
        "to": found.new,
        "notes": list(found.notes),
        "sections": [{"title": title, "rows": rows} for title, rows in sections(found)],
    }


def output(call: Call, *, app: str, version: int) -> list[str]:
    """What its release command printed; nothing if none ran."""
    _release, lines = call.services.releases.output(call.actor, app, version)
    return [plain_output(line) for line in lines[-_LINES_MAX:]]


def rollback(call: Call, *, app: str, version: int | None) -> dict[str, object]:
    """Code and config of an earlier release as a new one."""
    progress = call.accepting(lambda release, _: _plain(call, _app(call, app), release))
    made = call.services.releases.rollback(call.actor, app, version, progress)
    return info(call, app=app, version=made)


def retry(call: Call, *, app: str) -> dict[str, object]:
    """The latest failed release once more, as a new one."""
    progress = call.accepting(lambda release, _: _plain(call, _app(call, app), release))
    made = call.services.releases.retry(call.actor, app, progress)
    return info(call, app=app, version=made)


def _app(call: Call, name: str) -> App:
    return call.services.apps.find(call.actor, name, to=Permission.VIEW)


def _output(call: Call, app: App, release: Release, wanted: bool) -> dict[str, object]:
    """What the release command printed, if one ran or may run yet."""
    services, version = call.services, release.version
    runs = release.status is Status.PENDING
    if not wanted or not (runs or services.logs.release_output(app.id, version)):
        return {"output": None}
    secret = services.streams.open_output(call.actor, call.origin, app, release=version)
    return {"output": secret.reveal()}


def _plain(call: Call, app: App, release: Release) -> dict[str, object]:
    slug = call.services.store.slugs.of_release(release)
    return {
        "app": {"id": app.id, "name": app.name},
        "version": release.version,
        "status": release.status.value,
        "current": release.version == app.current,
        "description": release.description,
        "user": release.user,
        "created_at": release.created_at.isoformat(),
        "slug": release.slug_id,
        "commit": slug.commit if slug is not None else None,
        "can_roll_back": slug is not None and can_roll_back(release, app.current),
    }
