"""Tokens: created and revoked by users, verified for every way in which requests arrive."""

from collections.abc import Callable
from dataclasses import dataclass

from paas.domain.apps.apps import App
from paas.domain.people.actors import Actor
from paas.domain.people.expiry import Expiry
from paas.domain.people.origins import Origin
from paas.domain.people.permissions import AppRole, Permission
from paas.domain.people.tokens import (
    DEFAULT_LIFETIME,
    RANDOM_CHARACTERS,
    Token,
    TokenPrefix,
    TokenReport,
    prefix_of,
    stored,
    with_checksum,
)
from paas.domain.people.uses import Use
from paas.domain.values.errors import PaasError
from paas.domain.values.secret import Secret
from paas.interfaces import Clock, LastUses
from paas.services.access import find_app, require_account
from paas.services.people.last_use import last_use
from paas.services.people.lifetimes import expiry_of_new
from paas.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """The tokens of all users. A token has no more rights than its user has when it is used."""

    store: Store
    uses: LastUses
    clock: Clock
    random_characters: Callable[[int], str]

    def actor(self, token: Secret, address: str | None) -> Actor:
        """The user for whom a token acts, with its limits; records that it was used.

        address: the client's. Raises PaasError if it is not a token, is not known, or has expired.
        """
        prefix = prefix_of(token)
        actor = self._holder(prefix, self.store.tokens.by_hash(stored(token)))
        self.uses.note(prefix, Use(self.clock.now(), address))
        return actor

    def present(self, prefix: TokenPrefix) -> Actor:
        """The same for a token that was verified before. Raises PaasError as that."""
        return self._holder(prefix, self.store.tokens.find(prefix))

    def _holder(self, prefix: TokenPrefix, found: Token | None) -> Actor:
        user = self.store.users.find(found.user) if found is not None else None
        if found is None or user is None:
            raise PaasError(
                "token-unknown",
                f"The token {prefix} is not known here: it was revoked, its app or user was "
                "removed, or it is from another server.",
                "Create another: paas tokens:create; or, to use your own SSH key: unset PAAS_TOKEN",
            )
        if found.expires is not None and found.is_expired(self.clock.now()):
            raise PaasError(
                "token-expired",
                f"The token {prefix} expired on {found.expires:%Y-%m-%d at %H:%M} UTC.",
                f"{user.name} can create a new one: paas tokens:create",
            )
        return Actor(user, found.scope)

    def reports(self, actor: Actor) -> list[TokenReport]:
        """The actor's tokens with their last uses; everyone's for an admin."""
        require_account(actor, "see tokens")
        return [
            TokenReport(token, last_use(self.uses, token.prefix, token.created))
            for token in self.store.tokens.all()
            if _may_see(actor, token)
        ]

    def create(
        self,
        actor: Actor,
        origin: Origin,
        *,
        app: str | None,
        role: AppRole | None,
        expires: Expiry | None,
        note: str,
    ) -> tuple[Secret, Token]:
        """Create a token for the actor: the text, which is not stored, and what is known about it.

        app, role: what it is limited to; None means not limited. expires: None means the default.
        Raises PaasError if the actor is not a user, cannot see the app, has a lesser role for it,
        or may not have a token for that long.
        """
        require_account(actor, "create tokens")
        if actor.user is None:
            raise PaasError(
                "token-of-root",
                "A token acts as a user, and root on the server is not one.",
                "Log in as the user: ssh paas@SERVER tokens:create",
            )
        secret = with_checksum(self.random_characters(RANDOM_CHARACTERS))
        now = self.clock.now()
        with self.store.transaction():
            found = self._app(actor, app, role)
            until = now + DEFAULT_LIFETIME
            token = Token(
                prefix=prefix_of(secret),
                user=actor.user.name,
                note=note,
                app_id=found.id if found else None,
                app=found.name if found else None,
                role=role,
                created=now,
                expires=expiry_of_new(
                    self.store, actor, origin, expires, what="token", default=until
                ),
            )
            self.store.tokens.add(token, stored(secret))
        return secret, token

    def revoke(self, actor: Actor, prefix: TokenPrefix) -> Token:
        """Refuse a token from now on. Raises PaasError if the actor has no such token."""
        require_account(actor, "revoke tokens")
        with self.store.transaction():
            token = self.store.tokens.find(prefix)
            if token is None or not _may_see(actor, token):
                raise PaasError("no-such-token", f"There is no token {prefix}.", "See: paas tokens")
            self.store.tokens.remove(prefix)
        self.uses.forget(prefix)
        return token

    def _app(self, actor: Actor, name: str | None, role: AppRole | None) -> App | None:
        """The app of a new token."""
        if name is None:
            return None
        app = find_app(self.store, actor, name, to=Permission.VIEW)
        own = actor.role_on(app)
        if own is not None and role is not None and own.limited_to(role) is not role:
            raise PaasError(
                "token-role",
                f"You are a {own} of {app.name}; a token cannot make you a {role}.",
                f"paas tokens:create --app {app.name} --role {own}",
            )
        return app


def _may_see(actor: Actor, token: Token) -> bool:
    return actor.is_admin or (actor.user is not None and actor.user.name == token.user)
