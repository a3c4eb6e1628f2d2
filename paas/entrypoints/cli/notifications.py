"""notify, notify:add, notify:remove, notify:test"""

import click

from paas.domain.notifications.targets import EVENTS, WEBHOOK, Target, events_of
from paas.domain.values.errors import usage_error
from paas.entrypoints.cli.session import Session, app_option, json_option, pass_session
from paas.entrypoints.cli.tables import print_table, wide_option
from paas.entrypoints.cli.terminal import print_json

_SERVER = click.option("--server", is_flag=True, help="All apps and the server itself (admins).")


@click.command("notify")
@click.argument("name", required=False, metavar="[APP]")
@_SERVER
@app_option
@wide_option
@json_option
@pass_session
def listing(
    session: Session, name: str | None, server: bool, app: str | None, as_json: bool
) -> None:
    """List who is notified of an app's troubles.

    Example: paas notify -a shop
    """
    found = session.services.notifications.listing(session.actor, _app(session, server, app, name))
    if as_json:
        print_json([_plain(one) for one in found])
        return
    if not found:
        session.terminal.detail("Nobody is notified. To notify somebody:")
        session.terminal.detail("paas notify:add https://hooks.example.com/path")
    rows = [(one.shown, one.kind, ", ".join(one.events), one.id) for one in found]
    print_table(("URL", "Kind", "Events", "Id"), rows, flexible="Events")


@click.command("notify:add")
@click.argument("words", nargs=-1, required=True, metavar="[APP] URL")
@click.option("--events", metavar="EVENT,...", help=f"Only these: {', '.join(EVENTS)}.")
@_SERVER
@app_option
@json_option
@pass_session
def add(
    session: Session,
    words: tuple[str, ...],
    events: str | None,
    server: bool,
    app: str | None,
    as_json: bool,
) -> None:
    """Notify a webhook, a mail address or a chat of an app's troubles.

    Example: paas notify:add mailto:ops@example.com --events deploy-failed,crash-loop -a shop
    """
    name, url = _app_and_word(session, words, server, app)
    made = session.services.notifications.add(session.actor, name, url, events_of(events))
    session.terminal.step(f"{made.shown} is notified ({made.id}); to test it: paas notify:test")
    if as_json:
        print_json({**_plain(made), "secret": made.secret.reveal()})
    elif made.kind == WEBHOOK:
        session.terminal.detail(f"Its requests are signed with: {made.secret.reveal()}")


@click.command("notify:remove")
@click.argument("words", nargs=-1, required=True, metavar="[APP] URL|ID")
@_SERVER
@app_option
@pass_session
def remove(session: Session, words: tuple[str, ...], server: bool, app: str | None) -> None:
    """Notify a place no longer.

    Example: paas notify:remove n.4f0e4b9c -a shop
    """
    name, word = _app_and_word(session, words, server, app)
    gone = session.services.notifications.remove(session.actor, name, word)
    session.terminal.step(f"{gone.shown} is no longer notified")


@click.command("notify:test")
@click.argument("words", nargs=-1, metavar="[APP] [URL|ID]")
@_SERVER
@app_option
@pass_session
def test(session: Session, words: tuple[str, ...], server: bool, app: str | None) -> None:
    """Send a test to one place, or to all that are notified of an app.

    Example: paas notify:test -a shop
    """
    if words:
        name, word = _app_and_word(session, words, server, app)
    else:
        name, word = _app(session, server, app, None), None
    for one in session.services.notifications.test(session.actor, name, word):
        session.terminal.step(f"{one.shown} was sent a test")


def _app(session: Session, server: bool, app: str | None, name: str | None) -> str | None:
    """The app's name; None for the server."""
    if not server:
        return session.app_name(app, name)
    if app is not None or name is not None:
        raise usage_error("which-app", "Both an app and --server are given.", "Name only one.")
    session.no_app()
    return None


def _app_and_word(
    session: Session, words: tuple[str, ...], server: bool, app: str | None
) -> tuple[str | None, str]:
    if len(words) > 2:
        raise usage_error("arguments", "At most one place can be named.", "paas notify:add URL")
    return _app(session, server, app, words[0] if len(words) == 2 else None), words[-1]


def _plain(target: Target) -> dict[str, object]:
    return {
        "id": target.id,
        "url": target.shown,
        "kind": target.kind,
        "events": list(target.events),
    }
