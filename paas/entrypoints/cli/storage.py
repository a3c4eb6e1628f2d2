"""storage, storage:add, storage:remove"""

import click

from paas.domain.values.errors import usage_error
from paas.domain.values.sizes import size_words
from paas.entrypoints.cli.session import (
    Session,
    app_option,
    pass_session,
)
from paas.entrypoints.cli.tables import list_options, print_table
from paas.entrypoints.cli.terminal import print_json


@click.command("storage")
@list_options
def listing(session: Session, name: str | None, app: str | None, as_json: bool) -> None:
    """List an app's storage directories with their sizes.

    Example: paas storage -a shop
    """
    with session.terminal.doing("adding up the sizes"):
        found = session.services.storage.listing(session.actor, session.app_name(app, name))
    if as_json:
        print_json([{"path": storage.path, "size_bytes": size} for storage, size in found])
        return
    if not found:
        session.terminal.detail(
            "No storage. What an instance writes is deleted when it ends. To keep files:"
        )
        session.terminal.detail("paas storage:add /app/data")
    rows = [(storage.path, size_words(size)) for storage, size in found]
    print_table(("Path", "Size"), rows, flexible="Path")


@click.command("storage:add")
@click.argument("words", nargs=-1, required=True, metavar="[APP] PATH")
@app_option
@pass_session
def add(session: Session, words: tuple[str, ...], app: str | None) -> None:
    """Give an app a directory that outlives its instances and releases.

    Example: paas storage:add /app/data -a shop
    """
    name, path = _app_and_path(session, words, app)

    session.services.storage.add(session.actor, name, path, session.terminal)


@click.command("storage:remove")
@click.argument("words", nargs=-1, required=True, metavar="[APP] PATH")
@app_option
@click.option("--confirm", metavar="NAME", help="The app's name, to confirm.")
@pass_session
def remove(session: Session, words: tuple[str, ...], app: str | None, confirm: str | None) -> None:
    """Delete a storage directory with all files in it, for good.

    Example: paas storage:remove /app/data -a shop --confirm shop
    """
    name, path = _app_and_path(session, words, app)

    session.services.storage.remove(session.actor, name, path, confirm, session.terminal)


def _app_and_path(session: Session, words: tuple[str, ...], app: str | None) -> tuple[str, str]:
    if len(words) > 2:
        raise usage_error(
            "arguments", "At most one directory can be named.", "paas storage:add /app/data"
        )
    return session.app_name(app, words[0] if len(words) == 2 else None), words[-1]
