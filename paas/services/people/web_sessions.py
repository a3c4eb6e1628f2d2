"""Sessions of the dashboard: opened with a token or a link, and closed."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from paas.domain.people.actors import Actor
from paas.domain.people.origins import Origin
from paas.domain.people.sessions import LIFETIME, LINK_LIFETIME, LoginLink
from paas.domain.people.tokens import (
    RANDOM_CHARACTERS,
    Token,
    TokenPrefix,
    prefix_of,
    stored,
    with_checksum,
)
from paas.domain.people.users import User
from paas.domain.values.errors import PaasError
from paas.domain.values.secret import Secret
from paas.interfaces import Clock, LastUses
from paas.services.people.lifetimes import expiry_of_new
from paas.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSessions:
    """The sessions of all users. None has more rights than what it was opened with."""

    store: Store
    uses: LastUses
    clock: Clock
    random_characters: Callable[[int], str]

    def make_link(self, actor: Actor, origin: Origin) -> Secret:
        """The secret of a link that opens one session for the actor, within minutes."""
        user = _user(actor)
        secret = self._new_secret()
        now = self.clock.now()
        with self.store.transaction():
            latest = expiry_of_new(
                self.store, actor, origin, None, what="session", default=now + LIFETIME
            )
            link = LoginLink(
                prefix=prefix_of(secret),
                user=user.name,
                made_with=TokenPrefix(origin.token) if origin.token is not None else None,
                until=latest or now + LIFETIME,
                expires=now + LINK_LIFETIME,
            )
            self.store.login_links.remove_expired(now)
            self.store.login_links.add(link, stored(secret))
        return secret

    def link_actor(self, secret: Secret) -> Actor | None:
        """The user whom a link logs in; None if it is not one that is valid."""
        link = self._valid(self.store.login_links.by_hash(stored(secret)))
        user = self.store.users.find(link.user) if link is not None else None
        if link is None or user is None:
            return None
        made_with = self.store.tokens.find(link.made_with) if link.made_with is not None else None
        return Actor(user, made_with.scope if made_with is not None else None)

    def open(self, actor: Actor, origin: Origin) -> tuple[Secret, Token]:
        """A session for who came with a link, which is used up, or with a token."""
        user, secret, now = _user(actor), self._new_secret(), self.clock.now()
        with self.store.transaction():
            made_with, latest = self._opened_with(TokenPrefix(origin.token or ""))
            token = Token(
                prefix=prefix_of(secret),
                user=user.name,
                note="Session of the dashboard",
                app_id=made_with.app_id if made_with is not None else None,
                app=made_with.app if made_with is not None else None,
                role=made_with.role if made_with is not None else None,
                created=now,
                expires=min(at for at in (now + LIFETIME, latest) if at is not None),
                session=True,
                made_with=made_with.prefix if made_with is not None else None,
            )
            self.store.tokens.remove_ended_sessions(now)
            self.store.tokens.add(token, stored(secret))
        return secret, token

    def close(self, origin: Origin) -> None:
        """End the session that this request is of, if it is of one."""
        prefix = TokenPrefix(origin.token or "")
        with self.store.transaction():
            token = self.store.tokens.find(prefix)
            if token is None or not token.session:
                return
            self.store.tokens.remove(prefix)
        self.uses.forget(prefix)

    def close_all(self, actor: Actor) -> int:
        """End all sessions of the actor, and take back their links; returns how many there were."""
        user = _user(actor)
        with self.store.transaction():
            found = [
                one for one in self.store.tokens.all() if one.session and one.user == user.name
            ]
            self.store.tokens.remove_sessions(user.name)
            self.store.login_links.remove_of(user.name)
        for one in found:
            self.uses.forget(one.prefix)
        return len([one for one in found if not one.is_expired(self.clock.now())])

    def _opened_with(self, prefix: TokenPrefix) -> tuple[Token | None, datetime | None]:
        """The token behind a session, if there is one, and when the session is to end."""
        link = self._valid(self.store.login_links.find(prefix))
        if link is not None:
            self.store.login_links.remove(prefix)
            if link.made_with is None:
                return None, link.until
            return self.store.tokens.find(link.made_with), link.until
        token = self.store.tokens.find(prefix)
        if token is None:
            raise PaasError(
                "link-used",
                "This link was used before, or it is more than five minutes old.",
                "Make another: paas dashboard:open",
            )
        return token, token.expires

    def _valid(self, link: LoginLink | None) -> LoginLink | None:
        return link if link is not None and self.clock.now() < link.expires else None

    def _new_secret(self) -> Secret:
        return with_checksum(self.random_characters(RANDOM_CHARACTERS))


def _user(actor: Actor) -> User:
    if actor.user is None:
        raise PaasError(
            "session-of-root",
            "A session of the dashboard is a user's, and root on the server is not one.",
            "Log in as the user: ssh paas@SERVER dashboard:open",
        )
    return actor.user
