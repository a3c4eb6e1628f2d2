"""Finding an app for someone: the one place where a name becomes an app that may be used."""

from paas.domain.apps.apps import Actor, App
from paas.domain.apps.permissions import Permission
from paas.domain.values.errors import PaasError, no_such_app
from paas.store import Store


def find_app(store: Store, actor: Actor, name: str, *, to: Permission) -> App:
    """The app of that name, for what the actor wants to do with it.

    Raises the same error if there is none and if the actor may not.
    """
    app = store.apps.find(name)
    if app is None or not actor.may(to, app):
        raise no_such_app(name)
    return app


def refreshed(store: Store, app: App) -> App:
    """The app as it is now, after a wait for its lock."""
    present = store.apps.by_id(app.id)
    if present is None:
        raise no_such_app(app.name)
    return present


def require_admin(actor: Actor, what: str) -> None:
    """Raises unless the actor is an admin or the operator."""
    if not actor.is_admin:
        raise PaasError("admins-only", f"Only an admin may {what}.", "Ask the server's operator.")
