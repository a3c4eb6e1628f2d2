"""tokens, tokens:create, tokens:revoke"""

from datetime import timedelta

from paas.domain.people.access import app_role
from paas.domain.people.expiry import EXPIRES_MAX, Expiry
from paas.domain.people.tokens import Token, token_note, token_prefix
from paas.domain.values.errors import usage_error
from paas.entrypoints.operations.call import Call


def listing(call: Call) -> list[dict[str, object]]:
    """The actor's own tokens."""
    reports = call.services.tokens.reports(call.actor)
    return [_plain(one.token) for one in reports if one.token.user == call.actor.name]


def create(
    call: Call, *, note: str, seconds: int | None, app: str | None, role: str | None
) -> dict[str, object]:
    """A token of the actor's. seconds: how long it is valid; None: as by default.

    app, role: what it is limited to; None: not limited.
    """
    expires = None
    if seconds is not None:
        if not 0 < seconds <= EXPIRES_MAX.total_seconds():
            raise usage_error("expiry", "A token is valid for at most ten years.")
        now = call.services.tokens.clock.now()
        expires = Expiry(now + timedelta(seconds=seconds))
    secret, token = call.services.tokens.create(
        call.actor,
        call.origin,
        app=app,
        role=app_role(role) if role is not None else None,
        expires=expires,
        note=token_note(note),
    )
    return {**_plain(token), "token": secret.reveal()}


def revoke(call: Call, *, prefix: str) -> dict[str, object]:
    """Refuse a token from now on."""
    return _plain(call.services.tokens.revoke(call.actor, token_prefix(prefix)))


def _plain(token: Token) -> dict[str, object]:
    return {
        "prefix": token.prefix,
        "user": token.user,
        "note": token.note,
        "limited": token.scope is not None,
        "app": token.app,
        "role": str(token.role) if token.role is not None else None,
        "created": token.created.isoformat(),
        "expires": token.expires.isoformat() if token.expires else None,
    }
