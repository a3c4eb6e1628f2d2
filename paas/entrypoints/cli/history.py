"""logs"""

import json
from collections.abc import Callable
from datetime import UTC, datetime

import click

from paas.domain.apps.apps import App
from paas.domain.logs.loglines import (
    SOURCES,
    LogFilter,
    LogLine,
    ReleaseLines,
    parse_since,
    release_lines,
)
from paas.domain.people.permissions import Permission
from paas.domain.releases.history import parse_version
from paas.domain.values.errors import usage_error
from paas.entrypoints.cli import service_logs
from paas.entrypoints.cli.session import (
    Session,
    app_argument,
    app_option,
    json_option,
    pass_session,
)
from paas.entrypoints.cli.terminal import goes_to_a_terminal, print_line
from paas.entrypoints.cli.waiting import waiting

LINES = 100
LINES_MAX = 100_000
# Yellow, cyan, green, magenta, and the same bright: blue is hard to read, red is for errors.
COLOURS = (33, 36, 32, 35, 93, 96, 92, 95)


@click.command("logs")
@app_argument
@app_option
@click.option(
    "-n", "--num", type=click.IntRange(0, LINES_MAX), help="How many lines to show (100)."
)
@click.option("-t", "--tail", is_flag=True, help="Follow the log.")
@click.option(
    "-p",
    "--ps",
    "--process-type",
    metavar="TYPE",
    help="Only lines of a process type, such as web.",
)
@click.option(
    "-d",
    "--dyno",
    "--dyno-name",
    metavar="INSTANCE",
    help="Only lines of an instance, such as web.1.",
)
@click.option("-s", "--source", type=click.Choice(SOURCES), help="Only lines from this source.")
@click.option("--since", metavar="TIME", help="Only lines since then: 2h, 2026-11-20T10:20 (UTC).")
@click.option(
    "--grep", metavar="TEXT", help="Only lines that contain this; lower case matches any case."
)
@click.option("--release", metavar="vN", help="Only lines of this release.")
@click.option("--service", metavar="NAME", help="The log of a datastore's own server instead.")
@json_option
@pass_session
def logs(
    session: Session,
    *,
    name: str | None,
    app: str | None,
    num: int | None,
    tail: bool,
    ps: str | None,
    dyno: str | None,
    source: str | None,
    since: str | None,
    grep: str | None,
    release: str | None,
    service: str | None,
    as_json: bool,
) -> None:
    """Show what an app, the platform and the router logged.

    Example: paas logs -n 50 -t -a shop
    """
    if service is not None:
        if any((ps, dyno, source, since, grep, release)):
            raise usage_error(
                "logs-service",
                "The log of a datastore's server cannot be filtered.",
                "Combine --service only with -n, --tail and --json.",
            )
        count = num if num is not None else LINES
        name = session.app_name(app, name)
        service_logs.show(session, name, service, count, tail=tail, as_json=as_json)
        return
    found = session.services.apps.find(
        session.actor, session.app_name(app, name), to=Permission.VIEW
    )
    wanted = LogFilter(
        # Heroku's -p takes an instance, too.
        kind=ps if ps is None or "." not in ps else None,
        instance=dyno or (ps if ps and "." in ps else None),
        source=source,
        since=parse_since(since, datetime.now(UTC)) if since is not None else None,
        grep=grep,
        release=_release(session, found, release) if release is not None else None,
    )
    colour = session.terminal.colour and goes_to_a_terminal()
    shown = _json if as_json else _coloured() if colour else _plain
    count = num if num is not None else LINES_MAX if since is not None else LINES
    if not tail:
        lines = session.services.logs.tail(found.id, count, wanted)
        if lines:  # in one write: a write for each line would take most of the time
            print_line("\n".join(map(shown, lines)))
        return
    with waiting(session, found.name, Permission.VIEW) as stop:
        for line in session.services.logs.follow(found.id, stop, wanted, count):
            print_line(shown(line))


def _release(session: Session, app: App, text: str) -> ReleaseLines:
    return release_lines(session.services.store.releases.of_app(app.id), parse_version(text))


def _plain(line: LogLine) -> str:
    return f"{_head(line)} {line.text}"


def _coloured() -> Callable[[LogLine], str]:
    """Prints the head of each line in a color for its process, and the text plain."""
    given: dict[str, int] = {}

    def shown(line: LogLine) -> str:
        colour = given.setdefault(line.process or line.source, COLOURS[len(given) % len(COLOURS)])
        return f"\x1b[{colour}m{_head(line)}\x1b[0m {line.text}"

    return shown


def _head(line: LogLine) -> str:
    tag = f"{line.source}[{line.process}]" if line.process else line.source
    return f"{line.at.isoformat(timespec='microseconds')} {tag}:"


def _json(line: LogLine) -> str:
    """On one line, for programs that read line by line."""
    return json.dumps(
        {
            "at": line.at.isoformat(timespec="microseconds"),
            "source": line.source,
            "process": line.process,
            "text": line.text,
            "release": line.release,
        }
    )
