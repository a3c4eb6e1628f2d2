"""apps, apps:create, apps:clone, apps:info, apps:rename, apps:destroy, git:set"""

from contextlib import suppress

import click

from paas.domain.apps.apps import App
from paas.domain.people.access import holder
from paas.domain.values.errors import PaasError, usage_error
from paas.domain.values.names import app_name, branch_name
from paas.domain.values.sizes import size_words
from paas.entrypoints.cli.session import (
    Session,
    app_argument,
    app_option,
    json_option,
    pass_session,
)
from paas.entrypoints.cli.tables import print_table
from paas.entrypoints.cli.terminal import print_json, print_line


@click.command("apps")
@json_option
@pass_session
def listing(session: Session, as_json: bool) -> None:
    """List your apps.

    Example: paas apps
    """
    apps = session.services.apps.visible(session.actor)
    if as_json:
        print_json([_plain(session, app) for app in apps])
        return
    if not apps:
        session.terminal.detail("You have no apps. Create one: paas apps:create shop")
    for app in apps:
        print_line(app.name)


@click.command("apps:create")
@click.argument("name", required=False)
@app_option
@click.option("--owner", metavar="USER|@TEAM", help="One of your teams; for admins, anybody.")
@json_option
@pass_session
def create(
    session: Session, name: str | None, app: str | None, owner: str | None, as_json: bool
) -> None:
    """Create an app, with a pleasant random name if none is given.

    Example: paas apps:create shop
    """
    wanted = name if name is not None else app
    made = session.services.apps.create(
        session.actor,
        app_name(wanted) if wanted is not None else None,
        holder(owner) if owner is not None else None,
    )
    if session.recording is not None:
        session.recording.made(made.name)
    addresses = session.services.addresses
    session.terminal.step(f"Created {made.name}")
    if made.owner is None:
        session.terminal.detail(
            f"It belongs to nobody: only admins may use it. To share it: "
            f"paas access:add {made.name} NAME --role owner"
        )
    if as_json:
        print_json(_plain(session, made))
    else:
        print_line(f"{session.services.sites.url(made)} | {addresses.git_url(made.name)}")


@click.command("apps:clone")
@click.argument("names", nargs=-1, required=True, metavar="[OLD] NEW")
@app_option
@click.option("--skip-deploy", is_flag=True, help="Do not build and start it.")
@pass_session
def clone(session: Session, names: tuple[str, ...], app: str | None, skip_deploy: bool) -> None:
    """Copy an app's repository, config and settings to a new app.

    Example: paas apps:clone shop shop-staging
    """
    if len(names) > 2:
        raise usage_error("arguments", "apps:clone takes the old name and the new one.")
    old = session.app_name(app, names[0] if len(names) == 2 else None)
    new = app_name(names[-1])
    session.services.cloning.clone(
        session.actor, old, new, session.terminal, deploy=not skip_deploy
    )


@click.command("apps:info")
@app_argument
@app_option
@json_option
@pass_session
def info(session: Session, name: str | None, app: str | None, as_json: bool) -> None:
    """Show an app's addresses, owner, release and size.

    Example: paas apps:info shop
    """
    found = session.services.apps.info(session.actor, session.app_name(app, name))
    plain = {
        **_plain(session, found.app),
        "release": found.release,
        "slug_size_bytes": found.slug_size_bytes,
        "deploy_branch": found.app.deploy_branch or "main or master",
        "build_dir": found.build_dir,
        "maintenance": found.maintenance,
        "locked": found.lock.words if found.lock else None,
    }
    if as_json:
        print_json(plain)
        return
    print_line(f"=== {found.app.name}")
    size = found.slug_size_bytes
    print_table(
        ("", ""),
        [
            ("Web URL:", found.url),
            ("Git URL:", found.git_url),
            ("Owner:", ", ".join(found.app.owners) or "nobody: only admins may use it"),
            ("Release:", f"v{found.release}" if found.release else "none yet"),
            ("Slug size:", size_words(size) if size is not None else "-"),
            ("Deploy branch:", plain["deploy_branch"]),
            *([("Build dir:", found.build_dir)] if found.build_dir else []),
            *([("Maintenance:", "on")] if found.maintenance else []),
            *([("Deploys locked:", found.lock.words)] if found.lock else []),
            ("Created:", f"{found.app.created_at:%Y-%m-%d %H:%M:%S} UTC"),
        ],
    )


@click.command("apps:rename")
@click.argument("names", nargs=-1, required=True, metavar="[OLD] NEW")
@app_option
@pass_session
def rename(session: Session, names: tuple[str, ...], app: str | None) -> None:
    """Rename an app; its address changes too.

    Example: paas apps:rename store -a shop
    """
    if len(names) > 2:
        raise usage_error("arguments", "apps:rename takes the new name, or the old and the new.")
    old = session.app_name(app, names[0] if len(names) == 2 else None)
    renamed = session.services.apps.rename(
        session.actor, old, app_name(names[-1]), session.terminal
    )
    addresses = session.services.addresses
    session.terminal.step(f"Renamed {old} to {renamed.name}")
    print_line(f"{session.services.sites.url(renamed)} | {addresses.git_url(renamed.name)}")


@click.command("apps:destroy")
@app_argument
@app_option
@click.option(
    "--confirm", multiple=True, metavar="NAME", help="The app's name; repeat it for each datastore."
)
@pass_session
def destroy(session: Session, name: str | None, app: str | None, confirm: tuple[str, ...]) -> None:
    """Remove an app with its releases, config and logs, for good.

    Example: paas apps:destroy shop --confirm shop
    """
    named = session.app_name(app, name)
    gone = session.services.apps.destroy(
        session.actor,
        named,
        named if named in confirm else None,
        session.terminal,
        datastores=[one for one in confirm if one != named],
    )
    with suppress(PaasError):  # the app is removed even if this fails
        session.services.drains.settle()
    session.terminal.step(f"Destroyed {gone.name}")


@click.command("git:set")
@click.argument("words", nargs=-1, required=True, metavar="[APP] deploy-branch [BRANCH]")
@app_option
@pass_session
def git_set(session: Session, words: tuple[str, ...], app: str | None) -> None:
    """Choose the branch whose pushes are deployed; without a branch: main or master.

    Example: paas git:set deploy-branch production
    """
    named = words[0] if words[0] != "deploy-branch" else None
    rest = words[1:] if named else words
    if not rest or rest[0] != "deploy-branch" or len(rest) > 2:
        raise usage_error(
            "git-set",
            "git:set has one setting: deploy-branch.",
            "paas git:set deploy-branch production",
        )
    branch = branch_name(rest[1]) if len(rest) == 2 else None
    name = session.app_name(app, named)
    changed = session.services.apps.set_deploy_branch(session.actor, name, branch)
    session.terminal.step(f"{changed.name} deploys pushes to {branch or 'main or master'}")


def _plain(session: Session, app: App) -> dict[str, object]:
    addresses = session.services.addresses
    return {
        "name": app.name,
        "owner": app.owner,
        "owners": list(app.owners),
        "url": session.services.sites.url(app),
        "git_url": addresses.git_url(app.name),
        "created_at": app.created_at.isoformat(),
    }
