"""scheduler:set, scheduler:report and ps:placement"""

import click

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

HERE = "this server"


@click.command("scheduler:set")
@click.argument("words", nargs=-1, required=True, metavar="[APP] local|swarm")
@app_option
@pass_session
def choose(session: Session, words: tuple[str, ...], app: str | None) -> None:
    """Run an app's instances on this server (local), or on its nodes (swarm).

    Example: paas scheduler:set shop swarm
    """
    named = words[0] if len(words) == 2 else None
    if len(words) > 2:
        raise usage_error(
            "arguments", "scheduler:set takes local or swarm.", "paas scheduler:set shop swarm"
        )
    name = session.app_name(app, named)
    session.services.scheduling.choose(session.actor, name, words[-1], session.terminal)


@click.command("scheduler:report")
@app_argument
@app_option
@json_option
@pass_session
def report(session: Session, name: str | None, app: str | None, as_json: bool) -> None:
    """Show on which machines an app runs, and how they are chosen.

    Example: paas scheduler:report -a shop
    """
    found = session.services.scheduling.report(session.actor, session.app_name(app, name))
    scheduling = found.scheduling
    if as_json:
        print_json(
            {
                "scheduler": scheduling.name.value,
                "spread": scheduling.spread,
                "constraints": dict(scheduling.constraints),
                "instances": {one.label: place for one, place in found.places},
            }
        )
        return
    over = f"the label {scheduling.spread}" if scheduling.spread else "nodes"
    chosen = [("Distributed over:", over)] if scheduling.on_nodes or scheduling.spread else []
    chosen += [("Only nodes with:", f"{key}={value}") for key, value in scheduling.constraints]
    later = "" if scheduling.on_nodes else ", when it runs on nodes"
    rows = [
        ("Runs on:", "the nodes" if scheduling.on_nodes else HERE),
        *((name, f"{text}{later}") for name, text in chosen),
        *((f"{one.label}:", place or HERE) for one, place in found.places),
    ]
    print_table(("", ""), rows)


@click.command("ps:placement")
@click.argument("words", nargs=-1, metavar="[APP] [LABEL==VALUE...]")
@click.option("--spread", metavar="LABEL", help="Distribute over the nodes' values of a label.")
@click.option("--clear", is_flag=True, help="Remove all labels first.")
@app_option
@pass_session
def place(
    session: Session, words: tuple[str, ...], spread: str | None, clear: bool, app: str | None
) -> None:
    """Choose the nodes of an app: by labels that they must have, in place of the former ones.

    Example: paas ps:placement shop disk==ssd --spread zone
    """
    named = words[0] if words and "=" not in words[0] else None
    rest = words[1:] if named is not None else words
    if not (rest or spread is not None or clear):
        raise usage_error(
            "arguments",
            "ps:placement takes labels, --spread or --clear. To see them: paas scheduler:report",
            "paas ps:placement shop disk==ssd",
        )
    name = session.app_name(app, named)
    session.services.scheduling.place(
        session.actor, name, rest, session.terminal, spread=spread, clear=clear
    )
