"""drains, drains:add, drains:remove"""

import click

from paas.domain.logs.drains import Drain
from paas.domain.values.errors import usage_error
from paas.entrypoints.cli.session import (
    Session,
    app_option,
    json_option,
    pass_session,
)
from paas.entrypoints.cli.tables import list_options, print_table
from paas.entrypoints.cli.terminal import print_json


@click.command("drains")
@list_options
def listing(session: Session, name: str | None, app: str | None, as_json: bool) -> None:
    """List the places to which an app's log is forwarded.

    Example: paas drains -a shop
    """
    found = session.services.drains.listing(session.actor, session.app_name(app, name))
    if as_json:
        print_json([_plain(drain) for drain in found])
        return
    if not found:
        session.terminal.detail("No drains. To forward the log:")
        session.terminal.detail("paas drains:add syslog+tls://logs.example.com:6514")
    print_table(("URL", "Id"), [(drain.shown, drain.token) for drain in found], flexible="URL")


@click.command("drains:add")
@click.argument("words", nargs=-1, required=True, metavar="[APP] URL")
@app_option
@json_option
@pass_session
def add(session: Session, words: tuple[str, ...], app: str | None, as_json: bool) -> None:
    """Forward an app's log to a syslog server or over HTTP.

    Example: paas drains:add syslog+tls://logs.example.com:6514 -a shop
    """
    name, url = _app_and_word(session, words, app)
    drain = session.services.drains.add(session.actor, name, url)
    session.terminal.step(f"Added drain {drain}")
    if as_json:
        print_json(_plain(drain))


@click.command("drains:remove")
@click.argument("words", nargs=-1, required=True, metavar="[APP] URL|ID")
@app_option
@pass_session
def remove(session: Session, words: tuple[str, ...], app: str | None) -> None:
    """Stop forwarding an app's log to a drain.

    Example: paas drains:remove d.5f0c6a0e-4f0e-4b9c-9a52-0d3e6a2b7c11 -a shop
    """
    name, word = _app_and_word(session, words, app)
    drain = session.services.drains.remove(session.actor, name, word)
    session.terminal.step(f"Removed drain {drain}")


def _app_and_word(session: Session, words: tuple[str, ...], app: str | None) -> tuple[str, str]:
    if len(words) > 2:
        raise usage_error("arguments", "At most one drain can be named.", "paas drains:add URL")
    return session.app_name(app, words[0] if len(words) == 2 else None), words[-1]


def _plain(drain: Drain) -> dict[str, str]:
    return {"token": drain.token, "url": drain.shown}
