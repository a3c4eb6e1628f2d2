"""The context of one command: its user, app, services and terminal."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import click

from paas.domain.apps.apps import Actor
from paas.domain.values.errors import usage_error
from paas.entrypoints.cli.terminal import Terminal
from paas.interfaces import Caller
from paas.wiring.services import Services


@dataclass(slots=True)
class Session:
    """The context that every command gets.

    default_app: from ``paas --app NAME COMMAND``, which the client on a laptop fills in.
    client_gone: whether the client has hung up, for commands that follow something.
    caller: for commands that give a process the client's terminal. env: the client's.
    status: the exit status of a command that ends without an error.
    """

    services: Services
    actor: Actor
    client_gone: Callable[[], bool]
    caller: Caller
    env: Mapping[str, str]
    terminal: Terminal = field(default_factory=Terminal)
    default_app: str | None = None
    status: int = 0

    def app_name(self, option: str | None, positional: str | None = None) -> str:
        """The app that a command is about. Raises usage errors if none or two are named."""
        named = [name for name in (option, positional) if name is not None]
        if len({*named}) > 1:
            raise usage_error("which-app", f"Two apps are named: {option} and {positional}.")
        # An empty name, as from an unset shell variable, must not fall back to another app.
        name = named[0] if named else self.default_app
        if not name:
            raise usage_error(
                "which-app",
                "No app was named.",
                "Name one with -a NAME, or run this in its git repository.",
            )
        return name


def app_and_pairs(words: tuple[str, ...]) -> tuple[str | None, tuple[str, ...]]:
    """The app that is named before ``NAME=VALUE`` words, or None, and these words."""
    return (None, words) if "=" in words[0] else (words[0], words[1:])


pass_session = click.make_pass_decorator(Session)
JSON_HELP = "Print data as JSON."


def app_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """-a/--app, as on Heroku."""
    return click.option("-a", "--app", "app", metavar="NAME", help="The app.")(command)


def json_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """--json, on every command that prints data."""
    return click.option("--json", "as_json", is_flag=True, help=JSON_HELP)(command)


def app_argument(command: Callable[..., Any]) -> Callable[..., Any]:
    """The app by position, as on Dokku, for commands without other arguments."""
    return click.argument("name", required=False, metavar="[APP]")(command)
