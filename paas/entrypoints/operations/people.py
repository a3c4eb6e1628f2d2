"""users, teams"""

from paas.entrypoints.operations.call import Call


def users(call: Call) -> list[dict[str, object]]:
    """All users of the server, for admins."""
    return [
        {"name": user.name, "role": str(user.role), "teams": sorted(user.teams)}
        for user in call.services.users.all(call.actor)
    ]


def teams(call: Call) -> list[dict[str, object]]:
    """The teams with their members: all for an admin, else those that the actor belongs to."""
    found = call.services.users.teams(call.actor)
    return [{"name": name, "members": list(members)} for name, members in found.items()]
