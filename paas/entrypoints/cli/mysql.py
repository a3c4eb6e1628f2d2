"""The commands of MariaDB: mysql:info, mysql:client, mysql:credentials:url and so on."""

import click

from paas.domain.datastores.kinds import DatastoreKind
from paas.entrypoints.cli.addons import show
from paas.entrypoints.cli.datastore_clients import open_client
from paas.entrypoints.cli.elsewhere import refuse_to_print
from paas.entrypoints.cli.session import Session, app_option, json_option, pass_session
from paas.entrypoints.cli.terminal import print_line

_NAME = click.argument("datastore", required=False, metavar="[NAME]")


@click.command("mysql:info")
@_NAME
@app_option
@json_option
@pass_session
def info(session: Session, datastore: str | None, app: str | None, as_json: bool) -> None:
    """Show an app's MariaDB: its version, plan, size and connections.

    Example: paas mysql:info -a shop
    """
    show(session, datastore, app, DatastoreKind.MYSQL, as_json=as_json)


@click.command("mysql:client")
@_NAME
@app_option
@click.option("-c", "--command", "sql", metavar="SQL", help="Run this and end.")
@pass_session
def client(session: Session, datastore: str | None, app: str | None, sql: str | None) -> None:
    """Open MariaDB's client on an app's database, as a one-off process of the app.

    Example: paas mysql:client -a shop -c 'SELECT COUNT(*) FROM orders'
    """
    open_client(session, app, datastore, DatastoreKind.MYSQL, sql)


@click.command("mysql:credentials:url")
@_NAME
@app_option
@pass_session
def credentials_url(session: Session, datastore: str | None, app: str | None) -> None:
    """Print the URL of an app's MariaDB, with its password. It works only on the server.

    Example: paas mysql:credentials:url -a shop
    """
    name, kind = session.app_name(app), DatastoreKind.MYSQL
    refuse_to_print(session, name, datastore, kind)
    found = session.services.datastores.chosen(session.actor, name, datastore, kind)
    print_line(found.url.reveal())


@click.command("mysql:credentials:rotate")
@_NAME
@app_option
@click.option("--force", is_flag=True, help="End the former login even if an app fails.")
@pass_session
def credentials_rotate(
    session: Session, datastore: str | None, app: str | None, *, force: bool
) -> None:
    """Replace the login and password of an app's MariaDB, and restart its apps with them.

    Example: paas mysql:credentials:rotate -a shop
    """
    session.services.rotation.rotate(
        session.actor,
        session.app_name(app),
        datastore,
        DatastoreKind.MYSQL,
        session.terminal,
        force=force,
    )


@click.command("mysql:promote")
@click.argument("datastore", metavar="NAME")
@app_option
@pass_session
def promote(session: Session, datastore: str, app: str | None) -> None:
    """Make another attached MariaDB the app's DATABASE_URL and JAWSDB_URL.

    Example: paas mysql:promote JAWSDB_AQUA -a shop
    """
    session.services.attachments.promote(
        session.actor, session.app_name(app), datastore, DatastoreKind.MYSQL, session.terminal
    )


@click.command("mysql:wait")
@_NAME
@app_option
@pass_session
def wait(session: Session, datastore: str | None, app: str | None) -> None:
    """Wait until an app's MariaDB answers.

    Example: paas mysql:wait -a shop
    """
    session.services.datastores.wait(
        session.actor, session.app_name(app), datastore, DatastoreKind.MYSQL, session.terminal
    )
