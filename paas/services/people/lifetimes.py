"""How long a new key or token is valid: no longer than what it is made with."""

from datetime import datetime

from paas.domain.people.actors import Actor
from paas.domain.people.expiry import Expiry
from paas.domain.people.origins import Origin
from paas.domain.people.tokens import TokenPrefix
from paas.domain.values.errors import PaasError
from paas.store import Store


def expiry_of_new(
    store: Store,
    actor: Actor,
    origin: Origin,
    wanted: Expiry | None,
    *,
    what: str,
    default: datetime | None = None,
) -> datetime | None:
    """When a new key or token (what) expires: as wanted, else by default.

    Raises PaasError if a member, who came in with a key or token that expires, wants one that
    outlives it: a week would last for ever. So would a certificate, of which it is not known when
    it expires. Admins could add another admin.
    """
    if actor.is_admin:
        used, limit = "", None
    elif origin.ca is not None and origin.token is None:
        raise PaasError(
            "expiry-limit",
            f"You logged in with a certificate; a {what} that you create with it would outlive it.",
            f"Ask an admin for a key: paas keys:add {actor.name}",
        )
    else:
        used, limit = _used(store, origin)
    if wanted is None:
        return min((at for at in (default, limit) if at is not None), default=None)
    if limit is not None and (wanted.at is None or wanted.at > limit):
        raise PaasError(
            "expiry-limit",
            f"The {used} expires on {limit:%Y-%m-%d at %H:%M} UTC; a {what} that you create with "
            "it may not be valid for longer.",
            f"Choose an earlier time, or ask an admin for a key that is valid for longer: "
            f"paas keys:add {actor.name}",
        )
    return wanted.at


def _used(store: Store, origin: Origin) -> tuple[str, datetime | None]:
    """What somebody came in with, and when it expires: of a token and a key, the token."""
    if origin.token is not None:
        token = store.tokens.find(TokenPrefix(origin.token))
        return "token that you use", token.expires if token else None
    key = store.keys.find(origin.key) if origin.key is not None else None
    return "key that you log in with", key.expires if key else None
