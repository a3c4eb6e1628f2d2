"""The context of one command: its user, app, services and terminal."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import update_wrapper
from typing import Any, Concatenate, ParamSpec

import click

from paas.domain.people.actors import Actor
from paas.domain.people.origins import UNKNOWN_ORIGIN, Origin
from paas.domain.values.errors import usage_error
from paas.entrypoints.cli.recording import Recording
from paas.entrypoints.cli.terminal import Terminal
from paas.interfaces import Caller
from paas.wiring.services import Services

P = ParamSpec("P")


@dataclass(slots=True)
class Session:
    """The context that every command gets.

    default_app: from ``paas --app NAME COMMAND``, which the client on a laptop fills in.
    client_gone: whether the client has hung up, for commands that follow something.
    caller: for commands that give a process the client's terminal. env: the client's.
    origin: where the request came from.
    status: the exit status of a command that ends without an error.
    admitted: the same user as they are now. Raises PaasError if they or their key are gone.
    recording: of a command that changes something; None: nothing is recorded.
    """

    services: Services
    actor: Actor
    client_gone: Callable[[], bool]
    caller: Caller
    env: Mapping[str, str]
    terminal: Terminal = field(default_factory=Terminal)
    default_app: str | None = None
    status: int = 0
    origin: Origin = UNKNOWN_ORIGIN
    admitted: Callable[[], Actor] = lambda: Actor(None)
    recording: Recording | None = None

    def no_app(self) -> None:
        """Say that a command that can be about an app is not: before it changes anything."""
        if self.recording is not None:
            self.recording.names(None)

    def app_name(self, option: str | None, positional: str | None = None) -> str:
        """The app that a command is about. Raises usage errors if none or two are named."""
        named = [name for name in (option, positional) if name is not None]
        if len({*named}) > 1:
            raise usage_error("which-app", f"Two apps are named: {option} and {positional}.")
        # An empty name, as from an unset shell variable, must not fall back to another app.
        name = named[0] if named else self.default_app
        if name and self.recording is not None:
            self.recording.names(name, by_position=positional is not None)
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


def pass_session(command: Callable[Concatenate[Session, P], None]) -> Callable[P, None]:
    """Hand a command its session, after it was recorded: for every command of the table."""

    def enter(*args: P.args, **kwargs: P.kwargs) -> None:
        context = click.get_current_context()
        session = context.find_object(Session)
        assert session is not None
        if session.recording is not None:
            session.recording.enter(context)
        context.invoke(command, session, *args, **kwargs)

    return update_wrapper(enter, command)


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
