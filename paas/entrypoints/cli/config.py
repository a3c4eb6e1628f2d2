"""config, config:get, config:set, config:unset, config:import, config:export, config:edit"""

import re
import shlex
import sys
from collections.abc import Callable
from typing import Any

import click

from paas.domain.manifest.envfile import envfile, parse_envfile, shell_lines
from paas.domain.people.permissions import Permission
from paas.domain.values.errors import usage_error
from paas.domain.values.names import assignment, var_name
from paas.domain.values.plain_text import EncodingError, plain_text
from paas.entrypoints.cli.session import (
    Session,
    app_argument,
    app_option,
    json_option,
    pass_session,
)
from paas.entrypoints.cli.tables import print_table
from paas.entrypoints.cli.terminal import print_json, print_line

IMPORT_MAX_BYTES = 8_388_608
FORMATS = ("envfile", "json", "shell")


def no_restart_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """--no-restart, as in Dokku."""
    return click.option(
        "--no-restart", is_flag=True, help="Keep the instances running with the former values."
    )(command)


@click.command("config")
@app_argument
@app_option
@json_option
@click.option("-s", "--shell", is_flag=True, help="Print lines for a shell.")
@pass_session
def listing(
    session: Session, name: str | None, app: str | None, as_json: bool, shell: bool
) -> None:
    """List an app's config vars; for a viewer, their names.

    Example: paas config -a shop
    """
    wanted = session.app_name(app, name)
    found = session.services.apps.find(session.actor, wanted, to=Permission.VIEW)
    if not shell and not session.actor.may(Permission.CONFIGURE, found):
        _list_names(session, wanted, as_json=as_json)
        return
    config = session.services.config.all(session.actor, wanted)
    plain = {var: config[var].reveal() for var in sorted(config)}
    if as_json:
        print_json(plain)
    elif shell:
        for var, value in plain.items():
            print_line(f"{var}={shlex.quote(value)}")
    else:
        print_table(("", ""), [(f"{var}:", _one_line(value)) for var, value in plain.items()])


def _list_names(session: Session, app: str, *, as_json: bool) -> None:
    """What a viewer sees. In JSON the values are null."""
    names = session.services.config.names(session.actor, app)
    if as_json:
        print_json(dict.fromkeys(names))
    else:
        print_table(("", ""), [(f"{name}:", "(hidden: you are a viewer)") for name in names])


@click.command("config:get")
@click.argument("words", nargs=-1, required=True, metavar="[APP] NAME")
@app_option
@json_option
@pass_session
def get(session: Session, words: tuple[str, ...], app: str | None, as_json: bool) -> None:
    """Print one config var, byte for byte.

    Example: paas config:get GREETING
    """
    if len(words) > 2:
        raise usage_error("arguments", "config:get takes the name of one config var.")
    name = session.app_name(app, words[0] if len(words) == 2 else None)
    value = session.services.config.get(session.actor, name, var_name(words[-1])).reveal()
    if as_json:
        print_json(value)
    else:
        print_line(value)


@click.command("config:set")
@click.argument("words", nargs=-1, required=True, metavar="[APP] NAME=VALUE...")
@app_option
@no_restart_option
@pass_session
def set_vars(session: Session, words: tuple[str, ...], app: str | None, no_restart: bool) -> None:
    """Set config vars in a new release, without losing a request.

    Example: paas config:set GREETING=hello COLOUR=blue
    """
    first_is_app = "=" not in words[0] and app in (None, words[0]) and len(words) > 1
    named = words[0] if first_is_app else None
    pairs = dict(assignment(word) for word in (words[1:] if named else words))
    name = session.app_name(app, named)
    config = session.services.config
    config.set(session.actor, name, pairs, session.terminal, restart=not no_restart)


@click.command("config:unset")
@click.argument("words", nargs=-1, required=True, metavar="[APP] NAME...")
@app_option
@no_restart_option
@pass_session
def unset_vars(session: Session, words: tuple[str, ...], app: str | None, no_restart: bool) -> None:
    """Remove config vars in a new release.

    Example: paas config:unset GREETING
    """
    # Config vars are upper case by convention, app names lower case by rule.
    first_is_app = (
        app is None
        and session.default_app is None
        and len(words) > 1
        and re.fullmatch(r"[a-z][a-z0-9-]*", words[0]) is not None
    )
    named = words[0] if first_is_app else None
    names = [var_name(word) for word in (words[1:] if named else words)]
    name = session.app_name(app, named)
    config = session.services.config
    config.unset(session.actor, name, names, session.terminal, restart=not no_restart)


def _as_text(raw: bytes) -> str:
    """An env file as text. Bytes that are neither UTF-8 nor UTF-16 are kept as they are."""
    try:
        return plain_text(raw)
    except EncodingError:
        return raw.decode("utf-8", "surrogateescape")


@click.command("config:import")
@app_argument
@app_option
@click.option("--unset", multiple=True, metavar="NAME", help="Remove this one as well.")
@no_restart_option
@pass_session
def import_vars(
    session: Session, name: str | None, app: str | None, unset: tuple[str, ...], no_restart: bool
) -> None:
    """Set the config vars of a .env file on standard input, in one release.

    Example: paas config:import < .env
    """
    name = session.app_name(app, name)
    if sys.stdin.isatty():
        raise usage_error("arguments", "There is nothing to read.", "paas config:import < .env")
    raw = sys.stdin.buffer.read(IMPORT_MAX_BYTES + 1)
    if len(raw) > IMPORT_MAX_BYTES:
        raise usage_error("envfile", "The file is larger than 8 MiB.")
    values = parse_envfile(_as_text(raw))
    if not values and not unset:
        raise usage_error(
            "envfile", "The input has no NAME=value line.", "paas config:import < .env"
        )
    config = session.services.config
    gone = [var_name(word) for word in unset]
    config.set(
        session.actor,
        name,
        values,
        session.terminal,
        unset=gone,
        restart=not no_restart,
    )


@click.command("config:export")
@app_argument
@app_option
@click.option("--format", "form", type=click.Choice(FORMATS), default="envfile", help="The format.")
@json_option
@pass_session
def export_vars(
    session: Session, name: str | None, app: str | None, form: str, as_json: bool
) -> None:
    """Print the config vars as a .env file, as JSON, or as lines for a shell.

    Example: paas config:export --format shell
    """
    config = session.services.config.all(session.actor, session.app_name(app, name))
    plain = {var: config[var].reveal() for var in sorted(config)}
    if as_json or form == "json":
        print_json(plain)
        return
    text = shell_lines(plain) if form == "shell" else envfile(plain)
    if text:
        print_line(text.removesuffix("\n"))


@click.command("config:edit")
@app_argument
@app_option
@no_restart_option
def edit_vars(**_: object) -> None:
    """Edit the config vars as a .env file in $EDITOR; the changes become one release.

    Example: paas config:edit -a shop
    """
    raise usage_error(
        "config-edit",
        "config:edit opens an editor on your computer, so it needs the paas command there.",
        "paas config:export > .env; paas config:import < .env",
    )


def _one_line(value: str) -> str:
    """A value for a person: control characters shown escaped."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in value)
