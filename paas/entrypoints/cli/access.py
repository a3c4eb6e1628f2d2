"""access, access:add, access:update, access:remove, apps:transfer, apps:leave"""

import click

from paas.domain.apps.apps import App
from paas.domain.people.access import Holder, app_role, holder
from paas.domain.people.permissions import AppRole
from paas.domain.values.errors import usage_error
from paas.entrypoints.cli.session import (
    Session,
    app_argument,
    app_option,
    json_option,
    pass_session,
)
from paas.entrypoints.cli.tables import print_table
from paas.entrypoints.cli.terminal import print_json

_WHOM = "[APP] USER|@TEAM"
_ROLES = "|".join(AppRole)


@click.command("access")
@app_argument
@app_option
@json_option
@pass_session
def listing(session: Session, name: str | None, app: str | None, as_json: bool) -> None:
    """List who has access to an app; without an app, what you have access to.

    Example: paas access shop
    """
    if name is None and app is None and session.default_app is None:
        _list_own(session, as_json=as_json)
        return
    found = session.services.access.of_app(session.actor, session.app_name(app, name))
    if as_json:
        print_json([{"name": grant.holder, "role": grant.role} for grant in found.grants])
        return
    if not found.grants:
        session.terminal.detail(
            f"{found.name} has no owner: only admins may use it. To share it: "
            f"paas access:add {found.name} NAME --role owner"
        )
    print_table(("Name", "Role"), [(grant.holder, grant.role) for grant in found.grants])


def _list_own(session: Session, *, as_json: bool) -> None:
    roles = session.services.access.roles(session.actor)
    if as_json:
        print_json([{"app": app.name, "role": role} for app, role in roles])
        return
    if not roles:
        session.terminal.detail("You have access to no apps. Create one: paas apps:create shop")
    if roles and session.actor.is_admin:
        session.terminal.detail("As an admin, you have an owner's rights to every app.")
    print_table(("App", "Role"), [(app.name, role) for app, role in roles])


@click.command("access:add")
@click.argument("words", nargs=-1, required=True, metavar=_WHOM)
@app_option
@click.option("--role", metavar=_ROLES, default=AppRole.DEPLOYER, help="Default: deployer.")
@pass_session
def add(session: Session, words: tuple[str, ...], app: str | None, role: str) -> None:
    """Give a user or a team access to an app.

    owner: everything. deployer: push, config, scale, run, logs, rollback. viewer: see its state,
    logs and releases, and the names of its config vars.

    Example: paas access:add shop bob --role deployer
    """
    name, whom = _app_and_holder(session, app, words)
    found = session.services.access.add(session.actor, name, whom, app_role(role))
    session.terminal.step(f"{whom} is now {app_role(role).with_article} of {found.name}")


@click.command("access:update")
@click.argument("words", nargs=-1, required=True, metavar=_WHOM)
@app_option
@click.option("--role", metavar=_ROLES, required=True, help="The new role.")
@pass_session
def update(session: Session, words: tuple[str, ...], app: str | None, role: str) -> None:
    """Change the role of a user or a team.

    Example: paas access:update shop bob --role viewer
    """
    name, whom = _app_and_holder(session, app, words)
    found = session.services.access.update(session.actor, name, whom, app_role(role))
    session.terminal.step(f"{whom} is now {app_role(role).with_article} of {found.name}")


@click.command("access:remove")
@click.argument("words", nargs=-1, required=True, metavar=_WHOM)
@app_option
@pass_session
def remove(session: Session, words: tuple[str, ...], app: str | None) -> None:
    """Remove a user's or team's access to an app. What they have started continues.

    Example: paas access:remove shop bob
    """
    name, whom = _app_and_holder(session, app, words)
    found = session.services.access.remove(session.actor, name, whom)
    session.terminal.step(f"{whom} no longer has access to {found.name}")


@click.command("apps:leave")
@app_argument
@app_option
@pass_session
def leave(session: Session, name: str | None, app: str | None) -> None:
    """Give up your access to an app.

    Example: paas apps:leave shop
    """
    found = session.services.access.leave(session.actor, session.app_name(app, name))
    session.terminal.step(f"You no longer have access to {found.name}")


@click.command("apps:transfer")
@click.argument("words", nargs=-1, required=True, metavar=_WHOM)
@app_option
@pass_session
def transfer(session: Session, words: tuple[str, ...], app: str | None) -> None:
    """Make another user or team the owner; the former owner becomes a deployer.

    Example: paas apps:transfer shop bob
    """
    name, whom = _app_and_holder(session, app, words)
    before: App = session.services.access.transfer(session.actor, name, whom)
    session.terminal.step(f"{before.name} now belongs to {whom}")
    if before.owner is not None:
        session.terminal.detail(
            f"{before.owner} is now a deployer. To end their access: "
            f"paas access:remove {before.name} {before.owner}"
        )


def _app_and_holder(
    session: Session, app: str | None, words: tuple[str, ...]
) -> tuple[str, Holder]:
    """The app, which may come first, and the user or team."""
    if len(words) > 2:
        raise usage_error("arguments", "Name one user or team.", "paas access:add shop bob")
    named = words[0] if len(words) == 2 else None
    return session.app_name(app, named), holder(words[-1])
