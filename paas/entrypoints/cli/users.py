"""users, users:add, users:set-role, users:remove, auth:whoami, and the commands of teams"""

import click

from paas.domain.people.access import team_name
from paas.domain.people.users import Role
from paas.domain.values.names import user_name
from paas.entrypoints.cli.session import Session, json_option, pass_session
from paas.entrypoints.cli.tables import print_table
from paas.entrypoints.cli.terminal import print_json, print_line

_ROLE = click.Choice([role.value for role in Role])


@click.command("users")
@json_option
@pass_session
def listing(session: Session, as_json: bool) -> None:
    """List all users of the server. For admins.

    Example: paas users
    """
    users = session.services.users.all(session.actor)
    if as_json:
        print_json([{"name": u.name, "role": u.role, "teams": sorted(u.teams)} for u in users])
        return
    if not users:
        session.terminal.detail("No users. Add one: paas keys:add alice --admin < alice.pub")
    print_table(
        ("Name", "Role", "Teams"), [(u.name, u.role, ", ".join(sorted(u.teams))) for u in users]
    )


@click.command("users:add")
@click.argument("name")
@click.option("--role", type=_ROLE, default=Role.MEMBER.value, help="Default: member.")
@pass_session
def add(session: Session, name: str, role: str) -> None:
    """Add a user. They can log in once they have a key. For admins.

    Example: paas users:add bob
    """
    user = session.services.users.add(session.actor, user_name(name), Role(role))
    session.terminal.step(f"Added the {user.role} {user.name}")
    session.terminal.detail(f"To let them log in: paas keys:add {user.name} < {user.name}.pub")


@click.command("users:set-role")
@click.argument("name")
@click.argument("role", type=_ROLE)
@pass_session
def set_role(session: Session, name: str, role: str) -> None:
    """Make a user an admin, who may do everything on this server, or a member. For admins.

    Example: paas users:set-role bob admin
    """
    user = session.services.users.set_role(session.actor, user_name(name), Role(role))
    session.terminal.step(f"{user.name} is now {'an' if user.role is Role.ADMIN else 'a'} {role}")


@click.command("users:remove")
@click.argument("name")
@pass_session
def remove(session: Session, name: str) -> None:
    """Remove a user with their keys and their access to apps. For admins.

    Example: paas users:remove bob
    """
    user = session.services.users.remove(session.actor, user_name(name))
    session.terminal.step(f"Removed {user.name}, with their keys and their access to apps")


@click.command("auth:whoami")
@json_option
@pass_session
def whoami(session: Session, as_json: bool) -> None:
    """Print which user the server knows you as.

    Example: paas auth:whoami
    """
    actor = session.actor
    if as_json:
        role = actor.user.role if actor.user is not None else None
        teams = sorted(actor.user.teams) if actor.user is not None else []
        token = session.origin.token
        print_json({"name": actor.name, "role": role, "teams": teams, "token": token})
    else:
        print_line(actor.name)


@click.command("teams")
@json_option
@pass_session
def teams(session: Session, as_json: bool) -> None:
    """List the teams that you belong to; as an admin, all.

    Example: paas teams
    """
    found = session.services.users.teams(session.actor)
    if as_json:
        print_json([{"name": name, "members": members} for name, members in found.items()])
        return
    if not found:
        session.terminal.detail("No teams. An admin can create one: paas teams:create web")
    print_table(
        ("Team", "Members"), [(f"@{name}", ", ".join(found[name]) or "-") for name in found]
    )


@click.command("teams:create")
@click.argument("team")
@pass_session
def create_team(session: Session, team: str) -> None:
    """Create a team, which can get access to apps like a user. For admins.

    Example: paas teams:create web
    """
    name = team_name(team)
    session.services.users.create_team(session.actor, name)
    session.terminal.step(f"Created the team {name}")
    session.terminal.detail(f"To add somebody: paas teams:add {name} alice")


@click.command("teams:add")
@click.argument("team")
@click.argument("user")
@pass_session
def add_to_team(session: Session, team: str, user: str) -> None:
    """Add a user to a team. For admins.

    Example: paas teams:add web alice
    """
    name = team_name(team)
    session.services.users.add_to_team(session.actor, name, user_name(user))
    session.terminal.step(f"{user} belongs to {name}")


@click.command("teams:remove")
@click.argument("team")
@click.argument("user")
@pass_session
def remove_from_team(session: Session, team: str, user: str) -> None:
    """Remove a user from a team. For admins.

    Example: paas teams:remove web alice
    """
    name = team_name(team)
    session.services.users.remove_from_team(session.actor, name, user_name(user))
    session.terminal.step(f"{user} no longer belongs to {name}")


@click.command("teams:destroy")
@click.argument("team")
@pass_session
def destroy_team(session: Session, team: str) -> None:
    """Remove a team with its access to apps; its members stay. For admins.

    Example: paas teams:destroy web
    """
    name = team_name(team)
    session.services.users.destroy_team(session.actor, name)
    session.terminal.step(f"Destroyed the team {name}")
