"""config, config:get, config:set, config:unset"""

import re
import shlex

import click

from paas.domain.errors import usage_error
from paas.domain.names import assignment, var_name
from paas.entrypoints.cli.session import (
    Session,
    app_argument,
    app_option,
    json_option,
    pass_session,
)
from paas.entrypoints.cli.terminal import print_json, print_line, print_table


@click.command("config")
@app_argument
@app_option
@json_option
@click.option("-s", "--shell", is_flag=True, help="Print as lines for a shell.")
@pass_session
def listing(
    session: Session, name: str | None, app: str | None, as_json: bool, shell: bool
) -> None:
    """List an app's config vars.

    Example: paas config -a shop
    """
    config = session.platform.config.all(session.actor, session.app_name(app, name))
    plain = {var: config[var].reveal() for var in sorted(config)}
    if as_json:
        print_json(plain)
    elif shell:
        for var, value in plain.items():
            print_line(f"{var}={shlex.quote(value)}")
    else:
        print_table(("", ""), [(f"{var}:", _one_line(value)) for var, value in plain.items()])


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
    value = session.platform.config.get(session.actor, name, var_name(words[-1])).reveal()
    if as_json:
        print_json(value)
    else:
        print_line(value)


@click.command("config:set")
@click.argument("words", nargs=-1, required=True, metavar="[APP] NAME=VALUE...")
@app_option
@pass_session
def set_vars(session: Session, words: tuple[str, ...], app: str | None) -> None:
    """Set config vars; the app goes on with them in a new release, without losing a request.

    Example: paas config:set GREETING=hello COLOUR=blue
    """
    named = words[0] if "=" not in words[0] else None
    pairs = dict(assignment(word) for word in (words[1:] if named else words))
    if not pairs:
        raise usage_error("arguments", "There is nothing to set.", "paas config:set NAME=value")
    name = session.app_name(app, named)
    _report(
        session, session.platform.config.set(session.actor, name, pairs, session.say, session.done)
    )


@click.command("config:unset")
@click.argument("words", nargs=-1, required=True, metavar="[APP] NAME...")
@app_option
@pass_session
def unset_vars(session: Session, words: tuple[str, ...], app: str | None) -> None:
    """Remove config vars, as a new release.

    Example: paas config:unset GREETING
    """
    # Config vars are upper case by custom, apps lower case by rule.
    first_is_app = (
        app is None
        and session.default_app is None
        and len(words) > 1
        and re.fullmatch(r"[a-z][a-z0-9-]*", words[0]) is not None
    )
    named = words[0] if first_is_app else None
    names = [var_name(word) for word in (words[1:] if named else words)]
    name = session.app_name(app, named)
    _report(
        session,
        session.platform.config.unset(session.actor, name, names, session.say, session.done),
    )


def _report(session: Session, version: int | None) -> None:
    if version is None:
        session.say.detail("Nothing to change.")


def _one_line(value: str) -> str:
    """A value for a person: control characters shown escaped."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in value)
