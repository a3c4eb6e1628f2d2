"""The commands of Redis: redis:info, redis:cli, redis:credentials and so on."""

import os

import click

from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.datastores.redis import Policy
from paas.domain.people.permissions import Permission
from paas.domain.values.errors import usage_error
from paas.entrypoints.cli.addons import show
from paas.entrypoints.cli.elsewhere import refuse_to_print
from paas.entrypoints.cli.session import Session, app_option, json_option, pass_session
from paas.entrypoints.cli.terminal import print_line
from paas.entrypoints.cli.waiting import waiting

_NAME = click.argument("datastore", required=False, metavar="[NAME]")


@click.command("redis:info")
@_NAME
@app_option
@json_option
@pass_session
def info(session: Session, datastore: str | None, app: str | None, as_json: bool) -> None:
    """Show an app's Redis: its version, plan, memory, keys and connections.

    Example: paas redis:info -a shop
    """
    show(session, datastore, app, DatastoreKind.REDIS, as_json=as_json)


@click.command("redis:cli")
@_NAME
@app_option
@click.option("-c", "--command", "command", metavar="COMMAND", help="Run this and end.")
@pass_session
def cli(session: Session, datastore: str | None, app: str | None, command: str | None) -> None:
    """Open redis-cli on an app's Redis, as a one-off process of the app.

    Example: paas redis:cli -a shop -c 'GET greeting'
    """
    name = session.app_name(app)
    terminal = None
    if command is None and os.isatty(0) and os.isatty(1):
        terminal = session.env.get("TERM", "")
    with waiting(session, name, Permission.OPERATE):
        session.status = session.services.datastore_sessions.run(
            session.actor,
            name,
            datastore,
            DatastoreKind.REDIS,
            command,
            terminal=terminal,
            caller=session.caller,
            progress=session.terminal,
        )


@click.command("redis:credentials")
@_NAME
@app_option
@click.option("--reset", is_flag=True, help="Replace the login and password.")
@click.option("--force", is_flag=True, help="End the former login even if an app fails.")
@pass_session
def credentials(
    session: Session, datastore: str | None, app: str | None, *, reset: bool, force: bool
) -> None:
    """Print the URL of an app's Redis, with its password, or replace both.

    The URL works only on the server. Apps are restarted with a new login.

    Example: paas redis:credentials -a shop
    """
    name = session.app_name(app)
    if reset:
        session.services.rotation.rotate(
            session.actor, name, datastore, DatastoreKind.REDIS, session.terminal, force=force
        )
        return
    if force:
        raise usage_error(
            "arguments",
            "--force works only with --reset, which replaces the login.",
            f"paas redis:credentials -a {name} --reset --force",
        )
    refuse_to_print(session, name, datastore, DatastoreKind.REDIS)
    found = session.services.datastores.chosen(session.actor, name, datastore, DatastoreKind.REDIS)
    print_line(found.url.reveal())


@click.command("redis:promote")
@click.argument("datastore", metavar="NAME")
@app_option
@pass_session
def promote(session: Session, datastore: str, app: str | None) -> None:
    """Make another attached Redis the app's REDIS_URL.

    Example: paas redis:promote HEROKU_REDIS_AQUA -a shop
    """
    session.services.attachments.promote(
        session.actor, session.app_name(app), datastore, DatastoreKind.REDIS, session.terminal
    )


@click.command("redis:wait")
@_NAME
@app_option
@pass_session
def wait(session: Session, datastore: str | None, app: str | None) -> None:
    """Wait until an app's Redis answers.

    Example: paas redis:wait -a shop
    """
    session.services.datastores.wait(
        session.actor, session.app_name(app), datastore, DatastoreKind.REDIS, session.terminal
    )


@click.command("redis:maxmemory")
@_NAME
@app_option
@click.option(
    "-p",
    "--policy",
    "policy",
    type=click.Choice([str(policy) for policy in Policy]),
    help="What to do when the memory is full.",
)
@pass_session
def maxmemory(session: Session, datastore: str | None, app: str | None, policy: str | None) -> None:
    """Show or choose what Redis does when its memory is full: refuse writes, or delete keys.

    Example: paas redis:maxmemory -a shop --policy allkeys-lru
    """
    name, redis = session.app_name(app), session.services.redis
    if policy is None:
        print_line(redis.policy(session.actor, name, datastore))
        return
    redis.set_policy(session.actor, name, datastore, Policy(policy), session.terminal)
