"""resource:limit, resource:limit-clear, resource:report, ps:type"""

from collections.abc import Callable, Iterator
from typing import Any

import click

from paas.domain.runtime.resources import Resource, amount_of, amount_words
from paas.domain.values.errors import usage_error
from paas.domain.values.names import ProcessType, process_type
from paas.entrypoints.cli.session import (
    Session,
    app_and_pairs,
    app_argument,
    app_option,
    pass_session,
)
from paas.entrypoints.cli.tables import list_options, print_table
from paas.entrypoints.cli.terminal import print_json
from paas.services.apps.resources import TypeLimits
from paas.wiring import machine


def _change_options(command: Callable[..., Any]) -> Callable[..., Any]:
    of_type = click.option(
        "-p",
        "--process-type",
        "kind",
        metavar="TYPE",
        help="Only this process type; run, cron and release are types, too.",
    )
    no_restart = click.option(
        "--no-restart", is_flag=True, help="Apply to processes that start later; restart nothing."
    )
    return of_type(no_restart(command))


@click.command("resource:limit")
@click.argument("words", nargs=-1, required=True, metavar="[APP] NAME=VALUE...")
@app_option
@_change_options
@pass_session
def limit(
    session: Session, words: tuple[str, ...], app: str | None, kind: str | None, no_restart: bool
) -> None:
    """Limit what an app may use: memory=512m cpu=0.5 pids=200 nofile=4096 scratch=1g.

    The limits apply to all processes of an instance together. NAME=- removes a limit.

    Example: paas resource:limit memory=512m cpu=0.5 --process-type web
    """
    named, changes = app_and_pairs(words)
    if not changes:
        raise usage_error("arguments", "No limit was given.", "paas resource:limit memory=512m")
    name = session.app_name(app, named)
    session.services.resources.limit(
        session.actor,
        name,
        changes,
        session.terminal,
        kind=_type(kind),
        restart=not no_restart,
    )
    _warn_of_missing(session)


@click.command("resource:limit-clear")
@app_argument
@app_option
@_change_options
@pass_session
def clear(
    session: Session, name: str | None, app: str | None, kind: str | None, no_restart: bool
) -> None:
    """Remove all limits of an app, or those of one process type.

    Example: paas resource:limit-clear -a shop
    """
    session.services.resources.clear(
        session.actor,
        session.app_name(app, name),
        session.terminal,
        kind=_type(kind),
        restart=not no_restart,
    )


@click.command("ps:type")
@click.argument("words", nargs=-1, required=True, metavar="[APP] TYPE=SIZE...")
@app_option
@pass_session
def resize(session: Session, words: tuple[str, ...], app: str | None) -> None:
    """Give process types the memory of a Heroku size: eco, basic, standard-1x, standard-2x.

    Also performance-m and performance-l. For any other amount, use resource:limit.

    Example: paas ps:type web=standard-2x worker=standard-1x
    """
    named, sizes = app_and_pairs(words)
    if not sizes:
        raise usage_error("arguments", "No size was given.", "paas ps:type web=standard-1x")
    name = session.app_name(app, named)
    session.services.resources.resize(session.actor, name, sizes, session.terminal)
    _warn_of_missing(session)


@click.command("resource:report")
@list_options
def report(session: Session, name: str | None, app: str | None, as_json: bool) -> None:
    """Show the limits of each process type, and which were set for it alone.

    Example: paas resource:report -a shop
    """
    found = session.services.resources.report(session.actor, session.app_name(app, name))
    if as_json:
        print_json([_plain(item) for item in found])
        return
    print_table(
        ("Type", "Memory", "CPU", "Pids", "Nofile", "Scratch", "Set for it"),
        [tuple(_row(item)) for item in found],
    )
    server = session.services.resources.server
    highest = [
        f"{resource}={amount_words(resource, server.highest(resource))}"
        for resource in Resource
        if server.highest(resource)
    ]
    session.terminal.detail(f"Highest limits on this server: {' '.join(highest)}")
    _warn_of_missing(session)


def _type(text: str | None) -> ProcessType | None:
    return process_type(text) if text is not None else None


def _row(item: TypeLimits) -> Iterator[str]:
    yield item.kind
    for resource in Resource:
        yield amount_words(resource, amount_of(item.limits, resource))
    yield " ".join(f"{name}={amount_words(name, amount)}" for name, amount in item.own.items())


def _plain(item: TypeLimits) -> dict[str, object]:
    limits = item.limits
    return {
        "type": item.kind,
        "memory_mib": limits.memory_mib or None,
        "cpu_cores": limits.cpu_milli / 1_000 or None,
        "pids": limits.processes,
        "nofile": limits.open_files,
        "scratch_mib": limits.scratch_mib,
        "set": sorted(item.own),
    }


def _warn_of_missing(session: Session) -> None:
    """What this machine cannot enforce."""
    missing = machine.cgroups(session.services.settings).missing()
    if missing:
        session.terminal.warn(
            f"This server does not enforce limits on {', '.join(missing)}: its kernel offers no "
            "cgroup controller for that."
        )
