"""pg:info, pg:psql, pg:credentials:url, pg:credentials:rotate, pg:promote, pg:wait"""

import click

from paas.domain.datastores.kinds import DatastoreKind
from paas.entrypoints.cli.addons import show
from paas.entrypoints.cli.datastore_clients import open_client
from paas.entrypoints.cli.elsewhere import refuse_to_print
from paas.entrypoints.cli.session import Session, app_option, json_option, pass_session
from paas.entrypoints.cli.terminal import print_line

_NAME = click.argument("datastore", required=False, metavar="[NAME]")


@click.command("pg:info")
@_NAME
@app_option
@json_option
@pass_session
def info(session: Session, datastore: str | None, app: str | None, as_json: bool) -> None:
    """Show an app's PostgreSQL: its version, plan, size and connections.

    Example: paas pg:info -a shop
    """
    show(session, datastore, app, DatastoreKind.POSTGRESQL, as_json=as_json)


@click.command("pg:psql")
@_NAME
@app_option
@click.option("-c", "--command", "sql", metavar="SQL", help="Run this and end.")
@pass_session
def psql(session: Session, datastore: str | None, app: str | None, sql: str | None) -> None:
    """Open psql on an app's PostgreSQL, as a one-off process of the app.

    Example: paas pg:psql -a shop -c 'SELECT count(*) FROM orders'
    """
    open_client(session, app, datastore, DatastoreKind.POSTGRESQL, sql)


@click.command("pg:credentials:url")
@_NAME
@app_option
@pass_session
def credentials_url(session: Session, datastore: str | None, app: str | None) -> None:
    """Print the URL of an app's PostgreSQL, with its password. It works only on the server.

    Example: paas pg:credentials:url -a shop
    """
    name, kind = session.app_name(app), DatastoreKind.POSTGRESQL
    refuse_to_print(session, name, datastore, kind)
    found = session.services.datastores.chosen(session.actor, name, datastore, kind)
    print_line(found.url.reveal())


@click.command("pg:credentials:rotate")
@_NAME
@app_option
@click.option("--force", is_flag=True, help="End the former login even if an app fails.")
@pass_session
def credentials_rotate(
    session: Session, datastore: str | None, app: str | None, *, force: bool
) -> None:
    """Replace the login and password of an app's PostgreSQL, and restart its apps with them.

    Example: paas pg:credentials:rotate -a shop
    """
    session.services.rotation.rotate(
        session.actor,
        session.app_name(app),
        datastore,
        DatastoreKind.POSTGRESQL,
        session.terminal,
        force=force,
    )


@click.command("pg:promote")
@click.argument("datastore", metavar="NAME")
@app_option
@pass_session
def promote(session: Session, datastore: str, app: str | None) -> None:
    """Make another attached PostgreSQL the app's DATABASE_URL.

    Example: paas pg:promote HEROKU_POSTGRESQL_AQUA -a shop
    """
    session.services.attachments.promote(
        session.actor,
        session.app_name(app),
        datastore,
        DatastoreKind.POSTGRESQL,
        session.terminal,
    )


@click.command("pg:wait")
@_NAME
@app_option
@pass_session
def wait(session: Session, datastore: str | None, app: str | None) -> None:
    """Wait until an app's PostgreSQL answers.

    Example: paas pg:wait -a shop
    """
    session.services.datastores.wait(
        session.actor,
        session.app_name(app),
        datastore,
        DatastoreKind.POSTGRESQL,
        session.terminal,
    )
