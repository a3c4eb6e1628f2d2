"""Router settings: how an app's requests are treated, and who must log in before the app."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from paas.domain.apps.apps import App
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.domain.routing.router_settings import (
    BODY_KEY,
    USERS_MAX,
    RouterSettings,
    checked_value,
    key_name,
    router_settings,
)
from paas.domain.routing.routing import Routing
from paas.domain.values.errors import PaasError
from paas.domain.values.secret import Secret
from paas.interfaces import Progress, Proxy
from paas.services.access import find_app
from paas.services.routing.sites import Sites
from paas.services.server.quotas import Quotas
from paas.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Router:
    """What users do with an app's router settings."""

    store: Store
    proxy: Proxy
    sites: Sites
    hash_password: Callable[[Secret], str]
    quotas: Quotas

    def settings(self, actor: Actor, name: str) -> tuple[RouterSettings, frozenset[str]]:
        """The app's settings, and the keys that were set."""
        routing = self.store.routing.of_app(
            find_app(self.store, actor, name, to=Permission.VIEW).id
        )
        return router_settings(routing.settings, routing.users), frozenset(routing.settings)

    def set(self, actor: Actor, name: str, key: str, value: str | None, progress: Progress) -> str:
        """Set a key, or reset it to its default; returns the key as it is stored."""
        key = key_name(key)
        checked = checked_value(key, value) if value is not None else None
        if checked is not None and (reason := self.proxy.cannot(key, checked)):
            raise PaasError("router-unsupported", reason)
        if checked is not None and key == BODY_KEY:
            app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
            self.quotas.refuse_body(actor, app, router_settings({key: checked}, {}).body_bytes)

        def wanted(_app: App, routing: Routing) -> Routing:
            # Header names are case-insensitive.
            others = {k: v for k, v in routing.settings.items() if k.lower() != key.lower()}
            settings = others if checked is None else {**others, key: checked}
            router_settings(settings, routing.users)
            return replace(routing, settings=settings)

        self.sites.change(actor, name, f"sets {key}", wanted, progress)
        return key

    def add_user(
        self, actor: Actor, name: str, user: str, password: Secret, progress: Progress
    ) -> None:
        """Ask visitors for a name and a password from now on, and accept this one."""
        hashed = self.hash_password(password)

        def wanted(_app: App, routing: Routing) -> Routing:
            if len({*routing.users, user}) > USERS_MAX:
                raise PaasError("too-many-users", f"An app may have {USERS_MAX} logins.")
            return replace(routing, users={**routing.users, user: hashed})

        self.sites.change(actor, name, "adds a login", wanted, progress)

    def remove_user(self, actor: Actor, name: str, user: str, progress: Progress) -> bool:
        """Remove a login; returns whether none is left, so that everyone may visit."""

        def wanted(app: App, routing: Routing) -> Routing:
            if user not in routing.users:
                raise PaasError(
                    "no-such-login",
                    f"{app.name} has no login {user}.",
                    f"List them with: paas http-auth -a {app.name}",
                )
            users = {u: h for u, h in routing.users.items() if u != user}
            return replace(routing, users=users)

        return not self.sites.change(actor, name, "removes a login", wanted, progress).users
