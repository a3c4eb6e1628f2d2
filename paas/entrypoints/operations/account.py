"""auth:whoami: who the token stands for."""

from paas.entrypoints.operations.call import Call


def whoami(call: Call) -> dict[str, object]:
    """The user, and what their token is limited to."""
    user, scope = call.actor.user, call.actor.scope
    return {
        "name": call.actor.name,
        "role": str(user.role) if user is not None else None,
        "limited": scope is not None,
    }
