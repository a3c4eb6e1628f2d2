"""Who has access to an app: sharing it, and giving it away."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from paas.domain.apps.apps import App
from paas.domain.people.access import Grant, Holder
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import AppRole, Permission
from paas.domain.values.errors import PaasError
from paas.interfaces import Clock
from paas.services.access import find_app, require_account, require_holder
from paas.services.server.quotas import Quotas
from paas.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class AppAccess:
    """What owners do; a change holds from the next command on."""

    store: Store
    quotas: Quotas
    clock: Clock

    def of_app(self, actor: Actor, name: str) -> App:
        """The app, whose grants say who has access."""
        return find_app(self.store, actor, name, to=Permission.VIEW)

    def roles(self, actor: Actor) -> list[tuple[App, AppRole]]:
        """Each app that the actor may see, with what they are for it."""
        roles = [(app, actor.role_on(app)) for app in self.store.apps.all()]
        return [(app, role) for app, role in roles if role is not None]

    def add(self, actor: Actor, name: str, holder: Holder, role: AppRole) -> App:
        """Give a user or team access. Raises PaasError if they have it."""
        with self._changing(actor, name) as app:
            require_holder(self.store, holder)
            if (present := _role_of(app, holder)) is not None:
                raise PaasError(
                    "has-access",
                    f"{holder} is already {present.with_article} of {app.name}.",
                    f"To change that: paas access:update {app.name} {holder} --role {role}",
                )
            self._put(actor, app, Grant(holder, role))
        return app

    def update(self, actor: Actor, name: str, holder: Holder, role: AppRole) -> App:
        """Give a user or team another role. Raises PaasError if they are the only owner."""
        with self._changing(actor, name) as app:
            self._require_access(app, holder)
            if role is not AppRole.OWNER:
                _refuse_last(app, holder)
            self._put(actor, app, Grant(holder, role))
        return app

    def remove(self, actor: Actor, name: str, holder: Holder) -> App:
        """Take access from a user or team. Raises PaasError if they are the only owner."""
        with self._changing(actor, name) as app:
            self._require_access(app, holder)
            _refuse_last(app, holder)
            self.store.grants.remove(app.id, holder)
        return app

    def leave(self, actor: Actor, name: str) -> App:
        """Give up one's own access. Raises PaasError if the actor has none of their own."""
        with self.store.transaction():
            app = find_app(self.store, actor, name, to=Permission.VIEW)
            require_account(actor, "leave apps")
            self._refuse_preview(app)
            own = Holder(actor.name)
            if actor.user is None or _role_of(app, own) is None:
                raise PaasError(
                    "no-access",
                    f"{actor.name} has no access to {app.name} that could be given up.",
                    f"See: paas access {app.name}",
                )
            _refuse_last(app, own)
            self.store.grants.remove(app.id, own)
        return app

    def transfer(self, actor: Actor, name: str, holder: Holder) -> App:
        """Make a user or team the first owner; the former first owner becomes a deployer.

        Other owners stay. Raises PaasError if the new owner would have more apps or datastores than
        they may.
        """
        with self._changing(actor, name) as app:
            require_holder(self.store, holder)
            if app.owner == holder:
                raise PaasError("has-access", f"{holder} already owns {app.name}.")
            self.quotas.refuse_app(actor, holder)
            self.quotas.refuse_datastores(actor, holder, self._datastores(app))
            now = self.clock.now()
            for one in {holder, *app.owners}:
                self.store.grants.remove(app.id, one)
            for one in (holder, *(o for o in app.owners[1:] if o != holder)):
                self.store.grants.put(app.id, Grant(one, AppRole.OWNER), now)
            if app.owner is not None:
                self.store.grants.put(app.id, Grant(app.owner, AppRole.DEPLOYER), now)
        return app

    @contextmanager
    def _changing(self, actor: Actor, name: str) -> Iterator[App]:
        """The app, which nobody else changes meanwhile."""
        with self.store.transaction():
            app = find_app(self.store, actor, name, to=Permission.OWN)
            self._refuse_preview(app)
            yield app

    def _refuse_preview(self, app: App) -> None:
        parent = self.store.apps.by_id(app.preview_of) if app.preview_of is not None else None
        if parent is not None:
            raise PaasError(
                "preview-access",
                f"{app.name} is a preview of {parent.name}: who has access to that has it here.",
                f"Change it there: paas access -a {parent.name}",
            )

    def _put(self, actor: Actor, app: App, grant: Grant) -> None:
        if grant.role is AppRole.OWNER and app.owner is None:
            self.quotas.refuse_app(actor, grant.holder)
            self.quotas.refuse_datastores(actor, grant.holder, self._datastores(app))
        self.store.grants.put(app.id, grant, self.clock.now())

    def _datastores(self, app: App) -> int:
        return len(self.store.datastores.of_app(app.id))

    def _require_access(self, app: App, holder: Holder) -> None:
        if _role_of(app, holder) is None:
            raise PaasError(
                "no-access",
                f"{holder} has no access to {app.name}.",
                f"To grant it: paas access:add {app.name} {holder}",
            )


def _role_of(app: App, holder: Holder) -> AppRole | None:
    return next((grant.role for grant in app.grants if grant.holder == holder), None)


def _refuse_last(app: App, holder: Holder) -> None:
    if app.owners == (holder,):
        raise PaasError(
            "last-owner",
            f"{holder} is the only owner of {app.name}.",
            f"First give it another: paas apps:transfer {app.name} NAME",
        )
