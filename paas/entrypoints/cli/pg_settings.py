"""pg:settings, pg:settings:set, pg:settings:unset, pg:extensions, pg:extensions:install"""

import click

from paas.domain.datastores.extensions import Maker
from paas.domain.datastores.postgresql_settings import setting_named
from paas.entrypoints.cli.session import Session, app_option, json_option, pass_session
from paas.entrypoints.cli.tables import print_table
from paas.entrypoints.cli.terminal import print_json

_NAME = click.argument("datastore", required=False, metavar="[NAME]")
_RESTART = click.option("--restart", is_flag=True, help="Restart it if the setting requires that.")
_MAKERS = {
    Maker.APP: "the app, or pg:extensions:install",
    Maker.PLATFORM: "pg:extensions:install",
    Maker.NOBODY: "nobody",
}


@click.command("pg:settings")
@_NAME
@app_option
@json_option
@pass_session
def listing(session: Session, datastore: str | None, app: str | None, as_json: bool) -> None:
    """List the settings of an app's PostgreSQL that can be changed, with their values.

    Example: paas pg:settings -a shop
    """
    name = session.app_name(app)
    found = session.services.postgresql.settings(session.actor, name, datastore)
    if as_json:
        print_json(
            [
                {
                    "name": one.setting.name,
                    "value": one.value,
                    "chosen": one.chosen,
                    "values": one.setting.values,
                    "restart": one.setting.restart,
                }
                for one in found
            ]
        )
        return
    print_table(
        ("Setting", "Value", "Chosen", "Meaning"),
        [
            (one.setting.name, one.value or "unknown", one.chosen or "", one.setting.meaning)
            for one in found
        ],
        flexible="Meaning",
    )


@click.command("pg:settings:set")
@click.argument("key", metavar="SETTING")
@click.argument("value", metavar="VALUE")
@_NAME
@app_option
@_RESTART
@pass_session
def set_setting(
    session: Session, key: str, value: str, datastore: str | None, app: str | None, *, restart: bool
) -> None:
    """Change a setting of an app's PostgreSQL, also for its forks.

    Example: paas pg:settings:set log_min_duration_statement 500ms -a shop
    """
    session.services.postgresql.set_setting(
        session.actor,
        session.app_name(app),
        datastore,
        (setting_named(key), value),
        session.terminal,
        restart=restart,
    )


@click.command("pg:settings:unset")
@click.argument("key", metavar="SETTING")
@_NAME
@app_option
@_RESTART
@pass_session
def unset(
    session: Session, key: str, datastore: str | None, app: str | None, *, restart: bool
) -> None:
    """Reset a setting of an app's PostgreSQL to its default.

    Example: paas pg:settings:unset log_min_duration_statement -a shop
    """
    session.services.postgresql.set_setting(
        session.actor,
        session.app_name(app),
        datastore,
        (setting_named(key), None),
        session.terminal,
        restart=restart,
    )


@click.command("pg:extensions")
@_NAME
@app_option
@json_option
@pass_session
def extensions(session: Session, datastore: str | None, app: str | None, as_json: bool) -> None:
    """List the extensions that an app's PostgreSQL has or could have.

    Example: paas pg:extensions -a shop
    """
    name = session.app_name(app)
    found = session.services.postgresql.extensions(session.actor, name, datastore)
    if as_json:
        print_json(
            [
                {
                    "name": one.name,
                    "version": one.version,
                    "installed": one.installed,
                    "made_by": str(one.maker),
                    "comment": one.comment,
                }
                for one in found
            ]
        )
        return
    print_table(
        ("Extension", "Version", "Installed", "Created by", "Comment"),
        [
            (
                *(one.name, one.version, one.installed or "", _MAKERS[one.maker]),
                one.refusal if one.maker is Maker.NOBODY else one.comment,
            )
            for one in found
        ],
        flexible="Comment",
    )


@click.command("pg:extensions:install")
@click.argument("extension", metavar="EXTENSION")
@_NAME
@app_option
@pass_session
def install(session: Session, extension: str, datastore: str | None, app: str | None) -> None:
    """Create an extension in an app's PostgreSQL, even a safe one that needs the superuser.

    Example: paas pg:extensions:install pg_stat_statements -a shop
    """
    session.services.postgresql.make_extension(
        session.actor, session.app_name(app), datastore, extension, session.terminal
    )
