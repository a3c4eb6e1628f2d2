"""audit, audit:verify"""

import json
from dataclasses import asdict
from datetime import UTC, datetime

import click

from paas.domain.audit.events import Event
from paas.domain.audit.views import AuditFilter
from paas.domain.logs.loglines import parse_since
from paas.domain.values.errors import EXIT_FAILED
from paas.domain.values.names import printable
from paas.entrypoints.cli.session import (
    Session,
    app_argument,
    app_option,
    json_option,
    pass_session,
)
from paas.entrypoints.cli.tables import print_table, wide_option
from paas.entrypoints.cli.terminal import print_json, print_line
from paas.entrypoints.cli.waiting import waiting_for_server

LINES = 100
LINES_MAX = 100_000


@click.command("audit")
@app_argument
@app_option
@click.option("--all", "every", is_flag=True, help="All apps, also where one is the default.")
@click.option("--user", metavar="NAME", help="Only changes by this user.")
@click.option("--since", metavar="TIME", help="Only since then: 2d, 2026-11-20T10:20 (UTC).")
@click.option(
    "-n", "--num", type=click.IntRange(0, LINES_MAX), help="How many changes to show (100)."
)
@click.option("-t", "--tail", is_flag=True, help="Show further changes as they end.")
@wide_option
@json_option
@pass_session
def audit(
    session: Session,
    *,
    name: str | None,
    app: str | None,
    every: bool,
    user: str | None,
    since: str | None,
    num: int | None,
    tail: bool,
    as_json: bool,
) -> None:
    """Show who changed what, from where, and with what result; the newest change is last.

    Admins see all changes; others their own, and those of apps that they own.

    Example: paas audit --since 2d -a shop
    """
    named = not every and (name or app or session.default_app)
    wanted = AuditFilter(
        app=session.app_name(app, name) if named else None,
        user=user,
        since=parse_since(since, datetime.now(UTC)) if since is not None else None,
    )
    count = num if num is not None else LINES_MAX if since is not None else LINES
    trail = session.services.audit
    if tail:
        with waiting_for_server(session) as stop:
            for event in trail.follow(session.actor, wanted, count, stop):
                print_line(_json(event) if as_json else _line(event))
        return
    found = trail.latest(session.actor, wanted, count)
    if as_json:
        if found:
            print_line("\n".join(map(_json, found)))
        return
    if not found:
        session.terminal.detail("No recorded changes match.")
    print_table(
        ("At", "User", "App", "Change", "State", "Took", "From", "Via", "No"),
        [
            (
                f"{event.at:%Y-%m-%d %H:%M:%S}",
                event.user,
                event.app or "",
                _change(event),
                _state(event),
                _took(event),
                event.address or "",
                event.via,
                event.n,
            )
            for event in found
        ],
        optional=("No", "Via", "Took", "From"),
        flexible="Change",
    )


@click.command("audit:verify")
@json_option
@pass_session
def verify(session: Session, as_json: bool) -> None:
    """Check that no line of the audit trail was changed or removed (admins).

    Example: paas audit:verify
    """
    verdict = session.services.audit.verify(session.actor)
    if as_json:
        print_json(asdict(verdict))
    if verdict.place is None:
        session.terminal.step(f"The audit trail is intact: {verdict.lines} lines")
        return
    session.status = EXIT_FAILED
    session.terminal.warn(f"The first wrong line is {verdict.place}: {verdict.why}.")
    session.terminal.warn(f"The {verdict.lines} lines before it are intact.")
    session.terminal.warn("Compare it with a backup, or with what an audit drain received.")


def _change(event: Event) -> str:
    return " ".join((event.command, *event.words))


def _state(event: Event) -> str:
    return f"{event.state}: {event.error}" if event.error else str(event.state)


def _took(event: Event) -> str:
    return "" if event.ms is None else f"{event.ms / 1_000:.1f} s"


def _line(event: Event) -> str:
    """On one line, for -t, since columns cannot be fitted to lines that are still to come."""
    about = f" -a {event.app}" if event.app else ""
    took = f" after {_took(event)}" if event.ms is not None else ""
    where = f" from {event.address}" if event.address else ""
    at = f"{event.at:%Y-%m-%d %H:%M:%S}"
    return printable(f"{at} {event.user}{where}: {_change(event)}{about}: {_state(event)}{took}")


def _json(event: Event) -> str:
    """On one line, for programs that read line by line."""
    return json.dumps(asdict(event) | {"at": event.at.isoformat(timespec="milliseconds")})
