"""drains, drains:add, drains:remove"""

from paas.domain.apps.apps import App
from paas.domain.logs.drains import Drain
from paas.domain.people.permissions import Permission
from paas.entrypoints.operations.call import Call


def listing(call: Call, *, app: str) -> dict[str, object]:
    """The app and where its log is forwarded."""
    found = call.services.apps.find(call.actor, app, to=Permission.CONFIGURE)
    rows = call.services.drains.listing(call.actor, app)
    return {"app": _app(found), "drains": [_plain(drain) for drain in rows]}


def add(call: Call, *, app: str, url: str) -> dict[str, object]:
    """Forward the app's log to a syslog server or over HTTP."""
    return _of_app(call, app, call.services.drains.add(call.actor, app, url))


def remove(call: Call, *, app: str, drain: str) -> dict[str, object]:
    """Stop that. drain: its URL or its token."""
    return _of_app(call, app, call.services.drains.remove(call.actor, app, drain))


def _of_app(call: Call, app: str, drain: Drain) -> dict[str, object]:
    found = call.services.apps.find(call.actor, app, to=Permission.CONFIGURE)
    return {"app": _app(found), "drain": _plain(drain)}


def _app(app: App) -> dict[str, object]:
    return {"id": app.id, "name": app.name, "created_at": app.created_at.isoformat()}


def _plain(drain: Drain) -> dict[str, object]:
    """As the commands show it: without what may be a password."""
    return {"token": drain.token, "url": drain.shown}
