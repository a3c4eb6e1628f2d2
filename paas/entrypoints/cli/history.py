"""logs"""

import click

from paas.domain.interfaces import LogLine
from paas.entrypoints.cli.session import (
    Session,
    app_argument,
    app_option,
    json_option,
    pass_session,
)
from paas.entrypoints.cli.terminal import print_json, print_line

LINES_MAX = 100_000


@click.command("logs")
@app_argument
@app_option
@click.option("-n", "--num", type=click.IntRange(0, LINES_MAX), default=100, help="How many lines.")
@click.option("-t", "--tail", is_flag=True, help="Go on with lines as they arrive.")
@json_option
@pass_session
def logs(
    session: Session, name: str | None, app: str | None, num: int, tail: bool, as_json: bool
) -> None:
    """Show what an app, the platform and the router logged.

    Example: paas logs -n 50 -t -a shop
    """
    found = session.platform.apps.find(session.actor, session.app_name(app, name))
    show = _show_json if as_json else _show
    for line in session.platform.logs.tail(found.id, num):
        show(line)
    if tail:
        for line in session.platform.logs.follow(found.id, session.client_gone):
            show(line)


def _show(line: LogLine) -> None:
    tag = f"{line.source}[{line.process}]" if line.process else line.source
    print_line(f"{line.at.isoformat(timespec='microseconds')} {tag}: {line.text}")


def _show_json(line: LogLine) -> None:
    print_json(
        {
            "at": line.at.isoformat(timespec="microseconds"),
            "source": line.source,
            "process": line.process,
            "text": line.text,
        }
    )
