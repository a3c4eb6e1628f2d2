"""static, static:add, static:remove"""

import click

from paas.domain.routing.statics import OFF, StaticPath, expires, static_folder, static_path
from paas.domain.values.errors import usage_error
from paas.domain.values.names import shown
from paas.entrypoints.cli.session import (
    Session,
    app_option,
    pass_session,
)
from paas.entrypoints.cli.tables import list_options, print_table
from paas.entrypoints.cli.terminal import print_json
from paas.services.routing.statics import StaticInfo


@click.command("static")
@list_options
def listing(session: Session, name: str | None, app: str | None, as_json: bool) -> None:
    """List the paths at which the proxy serves the app's files itself.

    Example: paas static -a shop
    """
    name = session.app_name(app, name)
    found = session.services.statics.listing(session.actor, name)
    if as_json:
        print_json([_plain(info) for info in found])
        return
    rows = [
        (
            info.static.path,
            info.static.folder + ("" if info.there else " (not in this release)"),
            info.static.cache_control + (", hashed names a year" if info.static.hashed else ""),
            "config" if info.by_config else "command",
        )
        for info in found
    ]
    print_table(
        ("Path", "Folder", "Cache-Control", "Set by"),
        rows,
        optional=("Set by",),
        flexible="Cache-Control",
    )


@click.command("static:add")
@click.argument("words", nargs=-1, required=True, metavar="[APP] PATH FOLDER")
@app_option
@click.option(
    "--expires", "kept", metavar="TIME", default=OFF, help="How long browsers cache them."
)
@click.option(
    "--hashed", is_flag=True, help="Cache files with a fingerprint in their name for a year."
)
@pass_session
def add(session: Session, words: tuple[str, ...], app: str | None, kept: str, hashed: bool) -> None:
    """Have the proxy serve a folder's files below a path, without the app.

    --expires: with 30d, 12h, 10m or 30s, browsers use a file that long without asking; with off,
    the default, they ask each time whether it has changed; with no-store, nobody caches it.
    --hashed: files with a fingerprint in the name, such as app.3f2a9c1b.js, are cached for a year.

    Example: paas static:add shop /static app/static --expires 30d
    """
    name, (path, folder) = _split(session, words, app, 2)
    seconds, store = expires(kept)
    static = StaticPath(static_path(path), static_folder(folder), seconds, store, hashed)
    there = session.services.statics.add(session.actor, name, static, session.terminal)
    session.terminal.step(f"{static.path} of {name} is served from {static.folder}")
    if not there:
        session.terminal.warn(
            f"The current release has no folder {static.folder}, so the app still answers."
        )


@click.command("static:remove")
@click.argument("words", nargs=-1, required=True, metavar="[APP] PATH")
@app_option
@pass_session
def remove(session: Session, words: tuple[str, ...], app: str | None) -> None:
    """Let the app answer a path again.

    Example: paas static:remove shop /static
    """
    name, (text,) = _split(session, words, app, 1)
    path = static_path(text)
    session.services.statics.remove(session.actor, name, path, session.terminal)
    session.terminal.step(f"{path} of {name} is answered by the app")


def _split(
    session: Session, words: tuple[str, ...], app: str | None, count: int
) -> tuple[str, tuple[str, ...]]:
    """The app and the other words, the first of which begins with a slash."""
    named = not words[0].startswith("/") and app is None
    rest = words[1:] if named else words
    if len(rest) != count or not rest[0].startswith("/"):
        raise usage_error(
            "arguments",
            f"This command does not accept the arguments {shown(' '.join(words))}.",
            "For example: paas static:add /static app/static",
        )
    return session.app_name(app, words[0] if named else None), rest


def _plain(info: StaticInfo) -> dict[str, object]:
    return {
        "path": info.static.path,
        "folder": info.static.folder,
        "cache_control": info.static.cache_control,
        "hashed": info.static.hashed,
        "set_by": "config" if info.by_config else "command",
        "in_release": info.there,
    }
