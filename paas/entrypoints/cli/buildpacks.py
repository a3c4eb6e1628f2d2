"""buildpacks, buildpacks:add, :set, :remove, :clear"""

from collections.abc import Sequence

import click

from paas.domain.builds.buildpacks import Buildpack
from paas.domain.values.errors import usage_error
from paas.entrypoints.cli.session import (
    Session,
    app_argument,
    app_option,
    json_option,
    pass_session,
)
from paas.entrypoints.cli.terminal import print_json, print_line

index_option = click.option(
    "-i", "--index", type=int, metavar="N", help="Its position, counted from 1."
)


@click.command("buildpacks")
@app_argument
@app_option
@json_option
@pass_session
def listing(session: Session, name: str | None, app: str | None, as_json: bool) -> None:
    """List the app's own buildpacks, in order.

    Example: paas buildpacks -a shop
    """
    name = session.app_name(app, name)
    packs = session.services.buildpacks.all(session.actor, name)
    if as_json:
        print_json([pack.source for pack in packs])
        return
    if not packs:
        declared = session.services.buildpacks.declared(session.actor, name)
        found = f"app.json names {_joined(declared)}" if declared else "they are detected"
        session.terminal.detail(f"No buildpacks are set: {found} at each push.")
    for number, pack in enumerate(packs, start=1):
        print_line(f"{number}. {pack}" if len(packs) > 1 else str(pack))


@click.command("buildpacks:add")
@click.argument("words", nargs=-1, required=True, metavar="[APP] BUILDPACK")
@app_option
@index_option
@pass_session
def add(session: Session, words: tuple[str, ...], app: str | None, index: int | None) -> None:
    """Add a buildpack, at the end or at a position; the next push uses it.

    BUILDPACK: a name (python, node, static, procfile), a git repository
    (https://host/path#ref), or, for admins, a directory of the server.

    Example: paas buildpacks:add -i 1 node
    """
    name, pack = _words(session, words, app, "buildpacks:add")
    packs = session.services.buildpacks.add(session.actor, name, pack, index)
    _report(session, name, f"Buildpack added to {name}", packs)


@click.command("buildpacks:set")
@click.argument("words", nargs=-1, required=True, metavar="[APP] BUILDPACK")
@app_option
@index_option
@pass_session
def set_pack(session: Session, words: tuple[str, ...], app: str | None, index: int | None) -> None:
    """Set the app's buildpack; it replaces the first, or the one at a position.

    Example: paas buildpacks:set https://github.com/heroku/heroku-buildpack-ruby#v280
    """
    name, pack = _words(session, words, app, "buildpacks:set")
    packs = session.services.buildpacks.set(session.actor, name, pack, index)
    _report(session, name, f"Buildpack of {name} set", packs)


@click.command("buildpacks:remove")
@click.argument("words", nargs=-1, metavar="[APP] [BUILDPACK]")
@app_option
@index_option
@pass_session
def remove(session: Session, words: tuple[str, ...], app: str | None, index: int | None) -> None:
    """Remove a buildpack from the app, by name or position.

    Example: paas buildpacks:remove node
    """
    if index is not None:
        if len(words) > 1:
            raise usage_error("buildpack-which", "Name either a buildpack or its position (-i).")
        name, pack = session.app_name(app, words[0] if words else None), None
    else:
        name, pack = _words(session, words, app, "buildpacks:remove")
    packs = session.services.buildpacks.remove(session.actor, name, pack, index)
    _report(session, name, f"Buildpack removed from {name}", packs)


@click.command("buildpacks:clear")
@app_argument
@app_option
@pass_session
def clear(session: Session, name: str | None, app: str | None) -> None:
    """Remove all of the app's own buildpacks: app.json names them again, or they are detected.

    Example: paas buildpacks:clear -a shop
    """
    name = session.app_name(app, name)
    session.services.buildpacks.clear(session.actor, name)
    _report(session, name, f"Buildpacks of {name} cleared", [])


def _words(
    session: Session, words: tuple[str, ...], app: str | None, command: str
) -> tuple[str, str]:
    """The app and the buildpack of ``[APP] BUILDPACK``."""
    if not words or len(words) > 2:
        raise usage_error("arguments", f"{command} takes one buildpack.", f"paas {command} python")
    return session.app_name(app, words[0] if len(words) == 2 else None), words[-1]


def _report(session: Session, name: str, done: str, packs: list[Buildpack]) -> None:
    """What changed, and what the next push will do."""
    declared = session.services.buildpacks.declared(session.actor, name)
    if not packs:
        what = "uses those of app.json" if declared else "detects the buildpacks"
        session.terminal.step(f"{done}. The next push {what}.")
        return
    session.terminal.step(f"{done}. The next push uses:")
    for number, pack in enumerate(packs, start=1):
        session.terminal.detail(f"{number}. {pack}")
    if declared:
        session.terminal.detail(f"and no longer those of app.json: {_joined(declared)}")


def _joined(packs: Sequence[Buildpack]) -> str:
    return ", ".join(map(str, packs))
