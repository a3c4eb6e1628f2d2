"""ps, ps:restart, ps:scale"""

import click

from paas.entrypoints.cli.session import (
    Session,
    app_argument,
    app_option,
    json_option,
    pass_session,
)
from paas.entrypoints.cli.terminal import print_json, print_line, print_table
from paas.services.processes import Running


@click.command("ps")
@app_argument
@app_option
@json_option
@pass_session
def listing(session: Session, name: str | None, app: str | None, as_json: bool) -> None:
    """List an app's instances and what they are doing.

    Example: paas ps -a shop
    """
    running = session.platform.processes.listing(session.actor, session.app_name(app, name))
    if as_json:
        print_json([_plain(item) for item in running])
        return
    if not running:
        session.say.detail("No instances. Deploy: git push deploy main; or: paas ps:scale web=1")
    rows = []
    for item in running:
        since = item.state.since
        rows.append(
            (
                item.instance.label,
                item.state.state.value,
                f"since {since:%Y-%m-%d %H:%M:%S} UTC" if since else "",
                f"v{item.instance.version}",
                item.command,
            )
        )
    print_table(("Instance", "State", "", "Release", "Command"), rows)


@click.command("ps:restart")
@app_argument
@app_option
@pass_session
def restart(session: Session, name: str | None, app: str | None) -> None:
    """Replace every instance by a new one, without losing a request.

    Example: paas ps:restart -a shop
    """

    def live() -> None:
        session.say.step("Restarted")
        session.done()

    name = session.app_name(app, name)
    session.platform.processes.restart(session.actor, name, session.say, live)


@click.command("ps:scale")
@click.argument("words", nargs=-1, metavar="[APP] [TYPE=N...]")
@app_option
@json_option
@pass_session
def scale(session: Session, words: tuple[str, ...], app: str | None, as_json: bool) -> None:
    """Show the formation, or change it: web=2, worker+1.

    Example: paas ps:scale web=2 worker=1
    """
    named = words[0] if words and not any(sign in words[0] for sign in "=+") else None
    changes = words[1:] if named else words
    name = session.app_name(app, named)
    processes = session.platform.processes
    if not changes:
        formation = processes.formation(session.actor, name)
        if as_json:
            print_json(formation)
        else:
            print_line(" ".join(f"{kind}={count}" for kind, count in formation.items()))
        return

    def live() -> None:
        session.say.step("Scaled " + " ".join(changes))
        session.done()

    processes.scale(session.actor, name, changes, session.say, live)


def _plain(item: Running) -> dict[str, object]:
    since = item.state.since
    return {
        "instance": item.instance.label,
        "type": item.instance.kind,
        "state": item.state.state.value,
        "since": since.isoformat() if since else None,
        "release": item.instance.version,
        "port": item.instance.port,
        "exits": item.state.exits,
        "exit_reason": item.state.exit_reason,
        "command": item.command,
    }
