"""ps, ps:restart, ps:scale, ps:start, ps:stop, ps:wait"""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime

import click

from paas.domain.people.permissions import Permission
from paas.domain.releases.parallel_starts import START_COMMAND
from paas.domain.routing.refusals import opening_hint, refusal_words
from paas.domain.values.errors import EXIT_FAILED, PaasError, usage_error
from paas.entrypoints.cli.session import (
    Session,
    app_argument,
    app_option,
    json_option,
    pass_session,
)
from paas.entrypoints.cli.tables import list_options, print_table
from paas.entrypoints.cli.terminal import print_json, print_line
from paas.entrypoints.cli.waiting import waiting
from paas.services.access import require_server
from paas.services.apps.processes import Running, formation_words


@click.command("ps")
@list_options
def listing(session: Session, name: str | None, app: str | None, as_json: bool) -> None:
    """List an app's instances and what they are doing.

    Example: paas ps -a shop
    """
    name = session.app_name(app, name)
    processes = session.services.processes
    running = processes.listing(session.actor, name)
    if as_json:
        print_json([_plain(item) for item in running])
        return
    if processes.serves_files(session.actor, name):
        session.terminal.detail("The proxy serves this app's files, so no web process runs.")
    elif not running:
        session.terminal.detail(
            "No instances. Deploy: git push deploy main; or: paas ps:scale web=1"
        )
    now, head = datetime.now(UTC), _HEAD
    rows = [_row(item, now) for item in running]
    if any(item.node is not None for item in running):
        head = (head[0], "Node", *head[1:])
        rows = [
            (row[0], item.node or "-", *row[1:]) for row, item in zip(rows, running, strict=True)
        ]
    print_table(head, rows, optional=("Since", "Release", "Restarts", "CPU"))
    if refused := processes.refused_ports(session.actor, name):
        session.terminal.warn(f"{refusal_words(refused)} {opening_hint(refused)}")


_HEAD: tuple[str, ...] = (
    "Instance",
    "State",
    "Since",
    "For",
    "Memory",
    "CPU",
    "Restarts",
    "Release",
    "Command",
)
_PROCESSES = click.argument("words", nargs=-1, metavar="[APP] [TYPE|INSTANCE...]")


@click.command("ps:restart")
@_PROCESSES
@app_option
@pass_session
def restart(session: Session, words: tuple[str, ...], app: str | None) -> None:
    """Replace instances with new ones, without losing a request: all, a type, or one.

    Example: paas ps:restart web.1 -a shop
    """
    name, chosen = _app_and_processes(session, words, app)

    session.services.processes.restart(session.actor, name, chosen, session.terminal)


@click.command("ps:stop")
@_PROCESSES
@app_option
@pass_session
def stop(session: Session, words: tuple[str, ...], app: str | None) -> None:
    """Stop instances until ps:start: all, a type, or one.

    Example: paas ps:stop worker -a shop
    """
    name, chosen = _app_and_processes(session, words, app)
    session.services.processes.stop(session.actor, name, chosen, session.terminal)


@click.command("ps:start")
@_PROCESSES
@app_option
@pass_session
def start(session: Session, words: tuple[str, ...], app: str | None) -> None:
    """Start instances that ps:stop stopped: all, a type, or one.

    Example: paas ps:start worker -a shop
    """
    name, chosen = _app_and_processes(session, words, app)

    session.services.processes.start(session.actor, name, chosen, session.terminal)


@click.command("ps:wait")
@app_argument
@app_option
@pass_session
def wait(session: Session, name: str | None, app: str | None) -> None:
    """Wait until the deploy or other change of an app that is in progress has ended.

    Example: paas ps:wait -a shop
    """
    name = session.app_name(app, name)
    with waiting(session, name, Permission.VIEW):
        version = session.services.processes.wait(session.actor, name, session.terminal)
    session.terminal.step(f"v{version} is live" if version else f"{name} has no release yet")


@click.command("ps:scale")
@click.argument("words", nargs=-1, metavar="[APP] [TYPE=N...]")
@click.option(
    "--spread", metavar="LABEL", help="Distribute over the nodes' values of a label, as zone."
)
@app_option
@json_option
@pass_session
def scale(
    session: Session, words: tuple[str, ...], spread: str | None, app: str | None, as_json: bool
) -> None:
    """Show the formation, or change it: web=2, worker+1.

    Example: paas ps:scale web=2 worker=1
    """
    named = words[0] if words and _is_app(session, words[0], app) else None
    if app not in {None, named}:
        named = None
    changes = words[1:] if named else words
    name = session.app_name(app, named)
    processes = session.services.processes
    if not changes and spread is None:
        formation = processes.formation(session.actor, name)
        if as_json:
            print_json(formation)
        else:
            print_line(formation_words(formation))
        return

    processes.scale(session.actor, name, changes, session.terminal, spread=spread)


def _app_and_processes(
    session: Session, words: tuple[str, ...], app: str | None
) -> tuple[str, tuple[str, ...]]:
    """Tell ``shop web.1`` from ``web.1``: the app comes first unless it is named otherwise."""
    first = words[0] if words else ""
    if app is not None:
        return session.app_name(app), words[1:] if first == app else words
    if session.default_app is None:
        return session.app_name(None, first or None), words[1:]
    if first == session.default_app:
        return first, words[1:]
    default = session.default_app
    if not words or "." in first or first in _types(session, default):
        return session.app_name(None), words
    try:
        session.services.apps.find(session.actor, first, to=Permission.VIEW)
    except PaasError:
        return session.app_name(None), words
    return first, words[1:]


def _is_app(session: Session, word: str, app: str | None) -> bool:
    """Tell ``shop`` from ``web=2``; ``web-1`` is an app only if none is named otherwise."""
    if "=" in word or "+" in word:
        return False
    kind, sign, count = word.rpartition("-")
    known = app or session.default_app
    return not (sign and count.isdigit() and known and kind in _types(session, known))


def _types(session: Session, name: str) -> Collection[str]:
    try:
        return session.services.processes.formation(session.actor, name)
    except PaasError:
        return ()


def _row(item: Running, now: datetime) -> tuple[str, ...]:
    since, usage = item.state.since, item.usage
    exits, error = item.state.exits, item.state.error
    restarts = (f"{exits} restarts" if exits != 1 else "1 restart") if usage or error else ""
    return (
        item.instance.label,
        item.state.state.value,
        f"since {since:%Y-%m-%d %H:%M:%S} UTC" if since else "",
        _age(now, since) if since else "",
        f"{usage.memory_bytes / 1_048_576:.1f} MiB" if usage else "",
        f"{usage.cpu_percent:.0f} %" if usage else "",
        f"{restarts}, {error}" if error else restarts,
        f"v{item.instance.version}",
        item.command,
    )


def _age(now: datetime, since: datetime) -> str:
    """A duration in one unit: ``3 m``."""
    seconds = max(0, int((now - since).total_seconds()))
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def _plain(item: Running) -> dict[str, object]:
    since, usage = item.state.since, item.usage
    return {
        "instance": item.instance.label,
        "type": item.instance.kind,
        "node": item.node,
        "state": item.state.state.value,
        "since": since.isoformat() if since else None,
        "release": item.instance.version,
        "port": item.instance.port,
        "uptime_s": round((datetime.now(UTC) - since).total_seconds(), 1) if since else None,
        "memory_bytes": usage.memory_bytes if usage else None,
        "cpu_percent": round(usage.cpu_percent, 1) if usage else None,
        "processes": usage.processes if usage else 0,
        "exits": item.state.exits,
        "exit_reason": item.state.exit_reason,
        "error": item.state.error,
        "command": item.command,
    }


def roll_out_again(session: Session, words: Sequence[str]) -> None:
    """Start all instances that an app should run; called when the server starts."""
    require_server(session.actor)
    if len(words) != 1 or not words[0].isascii() or not words[0].isdigit():
        raise usage_error("arguments", f"{START_COMMAND} APP-ID")
    if not session.services.reconcile.roll_out_again(int(words[0]), session.terminal):
        session.status = EXIT_FAILED
