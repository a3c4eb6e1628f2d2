"""apps, apps:info"""

from paas.domain.apps.apps import App
from paas.entrypoints.operations.call import Call


def listing(call: Call) -> list[dict[str, object]]:
    """The apps that the actor may use, by name."""
    return [plain_app(call, app) for app in call.services.apps.visible(call.actor)]


def info(call: Call, *, app: str) -> dict[str, object]:
    """One app, with the size of its slug."""
    found = call.services.apps.info(call.actor, app)
    return {**plain_app(call, found.app), "slug_size_bytes": found.slug_size_bytes}


def plain_app(call: Call, app: App) -> dict[str, object]:
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
        "slug_size_bytes": None,
    }
