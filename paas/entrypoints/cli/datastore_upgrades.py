"""addons:upgrade, pg:upgrade"""

import click

from paas.domain.datastores.plans import parse_order
from paas.domain.values.errors import usage_error
from paas.entrypoints.cli.session import Session, app_option, pass_session


@click.command("addons:upgrade")
@click.argument("datastore", metavar="NAME")
@click.argument("order", metavar="KIND:PLAN")
@app_option
@pass_session
def change_plan(session: Session, datastore: str, order: str, app: str | None) -> None:
    """Change a datastore's plan; it is restarted, and keeps its data.

    Example: paas addons:upgrade DATABASE postgresql:standard -a shop
    """
    if ":" not in order:
        raise usage_error(
            "arguments",
            "No plan was named.",
            "For example: paas addons:upgrade DATABASE postgresql:standard. To upgrade PostgreSQL "
            "itself: paas pg:upgrade",
        )
    kind, plan, told = parse_order(order)
    if told is not None:
        session.terminal.detail(told)
    session.services.plan_changes.change(
        session.actor, session.app_name(app), datastore, (kind, plan), session.terminal
    )


@click.command("pg:upgrade")
@click.argument("datastore", required=False, metavar="[NAME]")
@app_option
@click.option("--to", metavar="VERSION", help="The major version; by default the newest installed.")
@pass_session
def upgrade(session: Session, datastore: str | None, app: str | None, to: str | None) -> None:
    """Upgrade an app's PostgreSQL to a later major version; it is down meanwhile.

    Example: paas pg:upgrade -a shop --to 17
    """
    session.services.upgrades.upgrade(
        session.actor, session.app_name(app), datastore, to, session.terminal
    )
