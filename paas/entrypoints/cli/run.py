"""run, run:detached, run:list, run:stop"""

import os
from collections.abc import Sequence

import click

from paas.domain.people.permissions import Permission
from paas.domain.runs.runs import Run, app_first
from paas.domain.values.errors import usage_error
from paas.domain.values.names import assignment
from paas.entrypoints.cli.session import (
    Session,
    app_option,
    json_option,
    pass_session,
)
from paas.entrypoints.cli.tables import list_options, print_table
from paas.entrypoints.cli.terminal import print_json, print_line
from paas.entrypoints.cli.waiting import waiting
from paas.services.runs.runs import RunRequest


class _RunCommand(click.Command):
    """A click command that runs another command: only options before that command are its own."""

    def __init__(self, **attributes: object) -> None:
        super().__init__(**attributes)  # type: ignore[arg-type] # click checks them
        self.context_settings["allow_interspersed_args"] = False

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """The app may also come last, as on Heroku."""
        return super().parse_args(ctx, app_first(args))


_WORDS = click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[APP] COMMAND...")
_ENV = click.option(
    "-e", "--env", "env", multiple=True, metavar="NAME=VALUE", help="An environment variable."
)


@click.command("run", cls=_RunCommand)
@_WORDS
@app_option
@_ENV
@click.option("--no-tty", is_flag=True, help="Run the command without a terminal.")
@click.option(
    *("-x", "--exit-code"),
    is_flag=True,
    expose_value=False,
    help="Accepted as on Heroku; the exit status is always passed on.",
)
@pass_session
def run(
    session: Session, words: tuple[str, ...], app: str | None, env: tuple[str, ...], no_tty: bool
) -> None:
    """Run a command in a new instance of the current release, in your terminal.

    Example: paas run bash
    """
    name, command = _target(session, app, words)
    terminal = None
    if not no_tty and os.isatty(0) and os.isatty(1):
        terminal = session.env.get("TERM", "")
    request = RunRequest(command, dict(map(assignment, env)), terminal)
    with waiting(session, name, Permission.OPERATE):
        session.status = session.services.app_runs.run(
            session.actor, name, request, session.caller, session.terminal
        )


@click.command("run:detached", cls=_RunCommand)
@_WORDS
@app_option
@_ENV
@json_option
@pass_session
def detached(
    session: Session, words: tuple[str, ...], app: str | None, env: tuple[str, ...], as_json: bool
) -> None:
    """Run a command in the background; its output goes to the app's log.

    Example: paas run:detached python import.py
    """
    name, command = _target(session, app, words)
    request = RunRequest(command, dict(map(assignment, env)))
    started = session.services.app_runs.detach(session.actor, name, request)
    session.terminal.step(f"Running {started.label} in the background")
    session.terminal.detail(f"See what it prints: paas logs --tail -a {name}")
    if as_json:
        print_json(_plain(started))
    else:
        print_line(started.label)


@click.command("run:list")
@list_options
def listing(session: Session, name: str | None, app: str | None, as_json: bool) -> None:
    """List an app's one-off processes that are running.

    Example: paas run:list -a shop
    """
    found = session.services.app_runs.listing(session.actor, session.app_name(app, name))
    if as_json:
        print_json([_plain(item) for item in found])
        return
    if not found:
        session.terminal.detail("No one-off processes. Start one: paas run bash")
    print_table(
        ("Name", "Started by", "Since", "Release", "Kind", "Command"),
        [
            (
                item.label,
                item.user,
                f"since {item.since:%Y-%m-%d %H:%M:%S} UTC",
                f"v{item.version}",
                "attached" if item.attached else "detached",
                item.command,
            )
            for item in found
        ],
        optional=("Kind", "Release", "Started by"),
    )


@click.command("run:stop")
@click.argument("words", nargs=-1, required=True, metavar="[APP] run.N...")
@app_option
@pass_session
def stop(session: Session, words: tuple[str, ...], app: str | None) -> None:
    """Stop one-off processes with SIGTERM, then SIGKILL if they do not end.

    Example: paas run:stop run.1
    """
    named = words[0] if "." not in words[0] else None
    labels = words[1:] if named else words
    if not labels:
        raise usage_error("arguments", "No process was named.", "List them with: paas run:list")
    name = session.app_name(app, named)
    session.services.app_runs.stop(session.actor, name, labels, session.terminal)


def _target(session: Session, app: str | None, words: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """The app and the command; the app is the first word unless it is named otherwise."""
    known = app or session.default_app
    if known is None and len(words) > 1:
        return session.app_name(None, words[0]), tuple(words[1:])
    return session.app_name(app), tuple(words)


def _plain(item: Run) -> dict[str, object]:
    return {
        "name": item.label,
        "user": item.user,
        "since": item.since.isoformat(),
        "release": item.version,
        "attached": item.attached,
        "command": item.command,
    }
