"""apps:lock, apps:unlock, maintenance, maintenance:on, maintenance:off, git:info"""

import os
import sys

import click

from paas.domain.values.errors import usage_error
from paas.domain.values.names import printable
from paas.entrypoints.cli.session import (
    Session,
    app_argument,
    app_option,
    json_option,
    pass_session,
)
from paas.entrypoints.cli.tables import print_table
from paas.entrypoints.cli.terminal import print_json, print_line
from paas.services.apps.maintenance import PAGE_MAX_BYTES

REASON_MAX = 200


@click.command("apps:lock")
@app_argument
@app_option
@click.option(
    "-m", "--reason", default="", metavar="TEXT", help="The reason, shown to those who push."
)
@pass_session
def lock(session: Session, name: str | None, app: str | None, reason: str) -> None:
    """Refuse deploys of an app, until apps:unlock.

    Example: paas apps:lock shop -m "database migration until 15:00"
    """
    if len(reason) > REASON_MAX:
        raise usage_error("arguments", f"A reason has at most {REASON_MAX} characters.")
    name = session.app_name(app, name)
    session.services.maintenance.lock(session.actor, name, printable(reason))
    session.terminal.step(f"Locked {name}: deploys are refused until: paas apps:unlock")


@click.command("apps:unlock")
@app_argument
@app_option
@pass_session
def unlock(session: Session, name: str | None, app: str | None) -> None:
    """Allow deploys of an app again.

    Example: paas apps:unlock shop
    """
    name = session.app_name(app, name)
    was_locked = session.services.maintenance.unlock(session.actor, name)
    if was_locked:
        session.terminal.step(f"Unlocked {name}")
    else:
        session.terminal.detail(f"{name} is not locked.")


@click.command("maintenance")
@app_argument
@app_option
@json_option
@pass_session
def show(session: Session, name: str | None, app: str | None, as_json: bool) -> None:
    """Show whether visitors see the maintenance page.

    Example: paas maintenance -a shop
    """
    on = session.services.maintenance.maintenance(session.actor, session.app_name(app, name))
    if as_json:
        print_json({"maintenance": on})
    else:
        print_line("on" if on else "off")


@click.command("maintenance:on")
@app_argument
@app_option
@pass_session
def switch_on(session: Session, name: str | None, app: str | None) -> None:
    """Show visitors a page instead of the app, which keeps running.

    Example: paas maintenance:on -a shop
    """
    _switch(session, session.app_name(app, name), True)


@click.command("maintenance:off")
@app_argument
@app_option
@pass_session
def switch_off(session: Session, name: str | None, app: str | None) -> None:
    """Show visitors the app again.

    Example: paas maintenance:off -a shop
    """
    _switch(session, session.app_name(app, name), False)


@click.command("maintenance:custom-page")
@app_argument
@app_option
@click.option(
    "--clear",
    is_flag=True,
    help="Remove the page; the repository's maintenance.html is used again.",
)
@pass_session
def custom_page(session: Session, name: str | None, app: str | None, clear: bool) -> None:
    """Set the page that visitors see in maintenance mode, from standard input.

    Example: paas maintenance:custom-page -a shop < page.html
    """
    name = session.app_name(app, name)
    maintenance = session.services.maintenance
    if clear:
        if maintenance.clear_page(session.actor, name, session.terminal):
            session.terminal.step(f"Cleared the maintenance page of {name}")
        else:
            session.terminal.detail("No page was set.")
        return
    if os.isatty(0):
        raise usage_error(
            "maintenance-page",
            "There is no page on standard input: it is a terminal.",
            "paas maintenance:custom-page < page.html",
        )
    content = sys.stdin.buffer.read(PAGE_MAX_BYTES + 1)
    maintenance.set_page(session.actor, name, content, session.terminal)
    session.terminal.step(f"Set the maintenance page of {name}: {len(content)} bytes")
    if not maintenance.maintenance(session.actor, name):
        session.terminal.detail(f"To show it: paas maintenance:on -a {name}")


def _switch(session: Session, name: str, on: bool) -> None:
    words = "on" if on else "off"
    if session.services.maintenance.set_maintenance(session.actor, name, on, session.terminal):
        session.terminal.step(f"Maintenance mode of {name} is {words}")
    else:
        session.terminal.detail(f"It was already {words}.")


@click.command("git:info")
@app_argument
@app_option
@json_option
@pass_session
def git_info(session: Session, name: str | None, app: str | None, as_json: bool) -> None:
    """Show an app's git URL, its deploy branch, and the commits pushed and live.

    Example: paas git:info -a shop
    """
    services = session.services
    info = services.apps.info(session.actor, session.app_name(app, name))
    branch = info.app.deploy_branch
    heads = {
        name: commit
        for name in ([branch] if branch else ["main", "master"])
        if (commit := services.repository.head(info.app.id, name))
    }
    release = services.store.releases.find(info.app.id, info.release) if info.release else None
    slug = services.store.slugs.of_release(release)
    live = slug.commit if slug else None
    if as_json:
        plain = {"git_url": info.git_url, "deploy_branch": branch, "heads": heads}
        print_json({**plain, "live_commit": live, "release": info.release})
        return
    rows = [("Git URL:", info.git_url), ("Deploy branch:", branch or "main or master")]
    rows += [(f"Head of {name}:", commit) for name, commit in heads.items()]
    print_table(("", ""), [*rows, ("Live:", f"{live} (v{info.release})" if live else "nothing")])
