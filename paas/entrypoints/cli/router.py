"""nginx:set, nginx:report, http-auth, http-auth:add-user, http-auth:remove-user"""

import re
import sys
from collections.abc import Sequence

import click

from paas.domain.routing.router_settings import HEADER_PREFIX, RouterSettings, is_key
from paas.domain.routing.router_settings import report as as_words
from paas.domain.values.errors import usage_error
from paas.domain.values.names import shown
from paas.domain.values.secret import Secret
from paas.entrypoints.cli.session import (
    Session,
    app_argument,
    app_option,
    json_option,
    pass_session,
)
from paas.entrypoints.cli.tables import list_options, print_table
from paas.entrypoints.cli.terminal import print_json, print_line

PASSWORD_MAX_BYTES = 72  # bcrypt ignores the rest


_KEYS_HELP = "\b\nThe keys, with their defaults:\n" + "\n".join(
    f"  {key:<24}{value}" for key, value in as_words(RouterSettings()).items()
)


@click.command("nginx:set", epilog=_KEYS_HELP)
@click.argument("words", nargs=-1, required=True, metavar="[APP] KEY [VALUE...]")
@app_option
@pass_session
def set_key(session: Session, words: tuple[str, ...], app: str | None) -> None:
    """Change a router setting of an app; without a value, restore its default.

    Example: paas nginx:set -a shop client-max-body-size 20m
    """
    named = app is None and (session.default_app is None or names_app(words))
    name = session.app_name(app, words[0] if named else None)
    key, value = key_and_value(words[1:] if named else words)
    key = session.services.router.set(session.actor, name, key, value, session.terminal)
    session.terminal.step(f"{key} of {name} is {'the default again' if value is None else value}")


@click.command("nginx:report")
@list_options
def report(session: Session, name: str | None, app: str | None, as_json: bool) -> None:
    """Show all router settings of an app.

    Example: paas nginx:report -a shop
    """
    name = session.app_name(app, name)
    settings, was_set = session.services.router.settings(session.actor, name)
    words = as_words(settings)
    if as_json:
        plain = {key: {"value": text, "set": key in was_set} for key, text in words.items()}
        print_json(plain)
        return
    rows = [(key, text, "set" if key in was_set else "") for key, text in words.items()]
    print_table(("Key", "Value", "Set"), rows, flexible="Value")


@click.command("http-auth")
@app_argument
@app_option
@json_option
@pass_session
def logins(session: Session, name: str | None, app: str | None, as_json: bool) -> None:
    """List the logins of an app; without any, everyone has access.

    Example: paas http-auth -a shop
    """
    settings, _ = session.services.router.settings(session.actor, session.app_name(app, name))
    if as_json:
        print_json(sorted(settings.users))
        return
    for user in sorted(settings.users):
        print_line(user)


@click.command("http-auth:add-user")
@click.argument("words", nargs=-1, required=True, metavar="[APP] USER")
@app_option
@pass_session
def add_login(session: Session, words: tuple[str, ...], app: str | None) -> None:
    """Require visitors to log in, and add a login; its password is read from standard input.

    Example: paas http-auth:add-user shop alice < password.txt
    """
    name, (user,) = _split(session, words, app, 1)
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}", user) is None:
        raise usage_error("login", f"{shown(user)} is not a valid login name.")
    if sys.stdin.isatty():
        session.terminal.detail("Type the password, then Enter.")
    password = sys.stdin.readline(PASSWORD_MAX_BYTES + 2).rstrip("\r\n")
    if not password or len(password.encode("utf-8", "surrogateescape")) > PASSWORD_MAX_BYTES:
        raise usage_error(
            "login",
            f"A password has 1 to {PASSWORD_MAX_BYTES} bytes; it is read from standard input.",
            f"For example: paas http-auth:add-user {name} {user} < password.txt",
        )
    session.services.router.add_user(session.actor, name, user, Secret(password), session.terminal)
    session.terminal.step(f"{user} may log in to {name}; visitors without a login are refused")


@click.command("http-auth:remove-user")
@click.argument("words", nargs=-1, required=True, metavar="[APP] USER")
@app_option
@pass_session
def remove_login(session: Session, words: tuple[str, ...], app: str | None) -> None:
    """Remove a login; without any, everyone has access again.

    Example: paas http-auth:remove-user shop alice
    """
    name, (user,) = _split(session, words, app, 1)
    if session.services.router.remove_user(session.actor, name, user, session.terminal):
        session.terminal.step(f"{name} has no logins left, so everyone has access")
    else:
        session.terminal.step(f"{user} may no longer log in to {name}")


def names_app(words: Sequence[str]) -> bool:
    """Whether the optional app comes before the key. An app may have the name of a key."""
    if len(words) < 2 or words[0].lower().startswith(HEADER_PREFIX):
        return False
    return is_key(words[1]) or (len(words) > 2 and not is_key(words[0]))


def key_and_value(words: Sequence[str]) -> tuple[str, str | None]:
    """A value may have several words: a shell and ssh split one in quotes."""
    if not words:
        raise usage_error("arguments", "No key was named.", "List the keys with: paas nginx:report")
    key, *value = words
    if len(value) > 1 and key.lower().startswith(HEADER_PREFIX):
        # Joined, it could differ from what was typed: a shell removes quotes and spaces.
        raise usage_error(
            "arguments",
            f"The value of {shown(key)} was split into {len(value)} words.",
            "Quote it; over plain ssh, where two shells parse it, quote it twice: "
            "\"'DENY always'\"",
        )
    return key, " ".join(value) if value else None


def _split(
    session: Session, words: tuple[str, ...], app: str | None, most: int
) -> tuple[str, list[str]]:
    """The app and the other words, 1 to most of them. The app comes first unless -a names it."""
    named = app is None and (session.default_app is None or len(words) > most)
    rest = list(words[1:] if named else words)
    if not 1 <= len(rest) <= most:
        raise usage_error("arguments", f"This command does not accept {len(words)} arguments.")
    return session.app_name(app, words[0] if named else None), rest
