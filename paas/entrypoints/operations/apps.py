"""apps and its kin, maintenance:on, maintenance:off"""

from contextlib import suppress

from paas.domain.apps.apps import App
from paas.domain.people.permissions import ROLES
from paas.domain.releases.releases import State
from paas.domain.values.errors import PaasError
from paas.domain.values.names import app_name
from paas.entrypoints.operations.call import Call


def listing(call: Call, *, detail: bool) -> list[dict[str, object]]:
    """The apps that the actor may use, by name. detail: with what runs, and the last change."""
    found = call.services.apps.visible(call.actor)
    if not detail:
        return [_plain(call, app) for app in found]
    states = call.services.processes.states(found)
    return [_plain(call, app) | _detail(call, app, states[app.id]) for app in found]


def info(call: Call, *, app: str, detail: bool = False) -> dict[str, object]:
    """One app, with the size of its slug and the time of its release. detail: as of `listing`."""
    found = call.services.apps.info(call.actor, app)
    release = call.services.store.releases.current(found.app)
    return {
        **_plain(call, found.app),
        "slug_size_bytes": found.slug_size_bytes,
        "released_at": release.created_at.isoformat() if release is not None else None,
        **(_detail(call, found.app, _states(call, found.app)) if detail else {}),
    }


def create(call: Call, *, name: str | None) -> dict[str, object]:
    """Make an app, under a random name if none is given."""
    wanted = app_name(name) if name is not None else None
    made = call.services.apps.create(call.actor, wanted)
    call.recording.made(made.name)
    return info(call, app=made.name)


def rename(call: Call, *, app: str, name: str) -> dict[str, object]:
    """Give an app another name, and with it another address."""
    renamed = call.services.apps.rename(call.actor, app, app_name(name), call.progress)
    return info(call, app=renamed.name)


def destroy(call: Call, *, app: str) -> dict[str, object]:
    """Remove an app for good; returns it as it was. Datastores are to be destroyed before."""
    found = info(call, app=app)
    call.services.apps.destroy(call.actor, app, app, call.progress)
    with suppress(PaasError):  # the app is removed even if this fails
        call.services.drains.settle()
    return found


def maintenance_on(call: Call, *, app: str) -> dict[str, object]:
    """Show visitors the maintenance page."""
    call.services.maintenance.set_maintenance(call.actor, app, True, call.progress)
    return info(call, app=app)


def maintenance_off(call: Call, *, app: str) -> dict[str, object]:
    """Show visitors the app again."""
    call.services.maintenance.set_maintenance(call.actor, app, False, call.progress)
    return info(call, app=app)


def _states(call: Call, app: App) -> list[State] | None:
    return call.services.processes.states([app])[app.id]


def _detail(call: Call, app: App, states: list[State] | None) -> dict[str, object]:
    """What the actor may do, what runs, in a word and in numbers, and the newest release."""
    latest = call.services.store.releases.latest(app.id)
    role = call.actor.role_on(app)
    return {
        "git_url": call.services.addresses.git_url(app.name),
        "may": sorted(ROLES[role]) if role is not None else [],
        "state": _word(call, app, states),
        "instances": len(states or ()),
        "up": (states or []).count(State.UP),
        "latest": None
        if latest is None
        else {
            "version": latest.version,
            "status": latest.status.value,
            "description": latest.description,
            "user": latest.user,
            "created_at": latest.created_at.isoformat(),
        },
    }


def _word(call: Call, app: App, states: list[State] | None) -> str:
    if call.services.store.maintenance.is_on(app.id):
        return "maintenance"
    if states is None:
        return "unknown"
    if not states:
        serves = app.current is not None and call.services.processes.serves_files(
            call.actor, app.name
        )
        return "up" if serves else "down"
    for state in (State.CRASHED, State.STARTING):
        if state in states:
            return str(state.value)
    return "up" if State.UP in states else str(states[0].value)


def _plain(call: Call, app: App) -> dict[str, object]:
    """What is known of an app without a look at its code."""
    services = call.services
    return {
        "id": app.id,
        "name": app.name,
        "owner": app.owner,
        "url": services.sites.url(app),
        "created_at": app.created_at.isoformat(),
        "release": app.current,
        "engine": app.engine,
        "maintenance": services.store.maintenance.is_on(app.id),
        "auto_certificates": services.acme.renewals.is_auto(app.id),
        "slug_size_bytes": None,
        "released_at": None,
    }
