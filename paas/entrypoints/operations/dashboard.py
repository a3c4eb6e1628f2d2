"""dashboard:open, dashboard:close: the session of a browser."""

from paas.entrypoints.operations.call import Call

OPEN_SESSION = "dashboard:open"


def open_session(call: Call) -> dict[str, object]:
    """A session, for the token or the link that the request came with."""
    secret, token = call.services.web_sessions.open(call.actor, call.origin)
    assert token.expires is not None
    left = token.expires - call.services.web_sessions.clock.now()
    return {"token": secret.reveal(), "user": token.user, "seconds": int(left.total_seconds())}


def close_session(call: Call) -> None:
    """End the session that the request is of."""
    call.services.web_sessions.close(call.origin)
