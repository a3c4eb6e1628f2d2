"""pg:connection-pooling:attach"""

import click

from paas.domain.datastores.names import attachment_name
from paas.entrypoints.cli.session import Session, app_option, pass_session


@click.command("pg:connection-pooling:attach")
@click.argument("datastore", required=False, metavar="[NAME]")
@app_option
@click.option("--as", "wanted", metavar="NAME", help="The attachment's name: POOL.")
@pass_session
def attach(session: Session, datastore: str | None, app: str | None, wanted: str | None) -> None:
    """Share an app's PostgreSQL connections: DATABASE_CONNECTION_POOL_URL leads to PgBouncer.

    Example: paas pg:connection-pooling:attach -a shop
    """
    chosen = attachment_name(wanted) if wanted is not None else None
    session.services.pooling.attach(
        session.actor, session.app_name(app), datastore, chosen, session.terminal
    )
