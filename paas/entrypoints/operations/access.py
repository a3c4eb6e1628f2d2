"""access, access:add, access:update, access:remove"""

from paas.domain.people.access import app_role, holder
from paas.domain.people.permissions import AppRole, Permission
from paas.entrypoints.operations.call import Call


def listing(call: Call, *, app: str) -> dict[str, object]:
    """Who has access to an app, with their roles."""
    found = call.services.apps.find(call.actor, app, to=Permission.VIEW)
    grants = [{"name": grant.holder, "role": str(grant.role)} for grant in found.grants]
    return {
        "app": {"id": found.id, "name": found.name},
        "created_at": found.created_at.isoformat(),
        "grants": grants,
    }


def add(call: Call, *, app: str, whom: str, role: str | None) -> dict[str, object]:
    """Give a user or a team access; returns the listing after that. role: None: as on Heroku."""
    wanted = app_role(role) if role is not None else AppRole.DEPLOYER
    call.services.access.add(call.actor, app, holder(whom), wanted)
    return listing(call, app=app)


def update(call: Call, *, app: str, whom: str, role: str) -> None:
    """Give a user or a team another role. It may be the actor, who sees the app no longer then."""
    call.services.access.update(call.actor, app, holder(whom), app_role(role))


def remove(call: Call, *, app: str, whom: str) -> dict[str, object]:
    """End the access of a user or a team; returns the listing before that."""
    call.services.apps.find(call.actor, app, to=Permission.OWN)
    found = listing(call, app=app)
    call.services.access.remove(call.actor, app, holder(whom))
    return found
