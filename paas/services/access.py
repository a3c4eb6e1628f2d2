"""Finding an app for someone: the one place where a name becomes an app that may be used."""

from paas.domain.apps.apps import App
from paas.domain.people.access import Holder, TeamName
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import AppRole, Permission
from paas.domain.values.errors import PaasError, no_such_app
from paas.domain.values.names import UserName
from paas.store import Store


def find_app(store: Store, actor: Actor, name: str, *, to: Permission) -> App:
    """The app of that name, for what the actor wants to do with it.

    Raises the same error if there is none and if the actor may not even see it.
    """
    app = store.apps.find(name)
    if app is None or not actor.may(Permission.VIEW, app):
        raise no_such_app(name)
    require(actor, app, to)
    return app


def require(actor: Actor, app: App, to: Permission) -> None:
    """Raises PaasError unless the actor, who sees the app, may do that with it."""
    if actor.may(to, app):
        return
    role = actor.role_on(app) or AppRole.VIEWER
    able = [role for role in reversed(AppRole) if role.may(to)]
    limited = actor.scope is not None and Actor(actor.user).may(to, app)
    raise PaasError(
        "needs-role",
        f"{'This token makes you' if limited else 'You are'} {role.with_article} of "
        f"{app.name}; this is for {' and '.join(f'{role}s' for role in able)}.",
        "Use another token, or your key." if limited else _whom_to_ask(app, able[0]),
    )


def _whom_to_ask(app: App, role: AppRole) -> str:
    """Who can give the role."""
    owners = " or ".join(app.owners)
    return f"Ask {owners or 'an admin'}, who can make you {role.with_article}: paas access:update."


def refreshed(store: Store, app: App) -> App:
    """The app as it is now, after a wait for its lock."""
    present = store.apps.by_id(app.id)
    if present is None:
        raise no_such_app(app.name)
    return present


def require_admin(actor: Actor, what: str) -> None:
    """Raises unless the actor is an admin or the operator."""
    if not actor.is_admin:
        raise PaasError("admins-only", f"Only an admin may {what}.", "Ask the server's operator.")


def require_server(actor: Actor) -> None:
    """Raises unless the server's own processes ask, which are root."""
    if actor.user is not None:
        raise PaasError("not-allowed", "Only the server itself may run this command.")


def require_account(actor: Actor, what: str) -> None:
    """Raises if the actor used a token that is limited to an app or a role."""
    if actor.scope is not None:
        raise PaasError(
            "token-limited",
            f"This token is limited to an app or a role, so it cannot {what}.",
            "Use your SSH key, or a token without limits: paas tokens:create",
        )


def require_holder(store: Store, holder: Holder) -> None:
    """Raises PaasError if there is no such user or team."""
    if holder.user is not None and store.users.find(holder.user) is None:
        raise no_such_user(holder.user)
    if holder.team is not None and not store.teams.exists(holder.team):
        raise no_such_team(holder.team)


def no_such_user(name: UserName) -> PaasError:
    """The error if there is no user of that name."""
    return PaasError(
        "no-such-user", f"There is no user {name}.", f"An admin can add one: paas users:add {name}"
    )


def no_such_team(name: TeamName) -> PaasError:
    """The error if there is no team of that name."""
    return PaasError(
        "no-such-team",
        f"There is no team {name}.",
        f"An admin can create one: paas teams:create {name}",
    )
