"""pg:diagnose, pg:ps, pg:kill, pg:locks, pg:blocking, pg:outliers, pg:bloat and the like."""

from collections.abc import Sequence

import click

from paas.domain.datastores.reports import Color, Report, Row
from paas.entrypoints.cli.session import Session, app_option, json_option, pass_session
from paas.entrypoints.cli.tables import print_table
from paas.entrypoints.cli.terminal import print_json, print_line

_NAME = click.argument("datastore", required=False, metavar="[NAME]")


@click.command("pg:diagnose")
@_NAME
@app_option
@json_option
@pass_session
def diagnose(session: Session, datastore: str | None, app: str | None, as_json: bool) -> None:
    """Check an app's PostgreSQL: connections, locks, missing and unused indexes, bloat.

    Example: paas pg:diagnose -a shop
    """
    name = session.app_name(app)
    found = session.services.diagnosing.diagnose(session.actor, name, datastore)
    if as_json:
        plain = [
            {"check": str(one.check), "color": str(one.color), "rows": list(one.rows)}
            for one in found
        ]
        print_json(plain)
        return
    for one in found:
        well = one.color is Color.GREEN
        print_line(f"{one.color.upper()}: {one.check}{'' if well else f' ({one.advice})'}")
        _print(one.rows)


def _report(report: Report, words: str, noun: str | None = None) -> click.Command:
    noun = noun or report

    @click.command(f"pg:{noun}", help=f"{words}\n\nExample: paas pg:{noun} -a shop")
    @_NAME
    @app_option
    @json_option
    @pass_session
    def command(session: Session, datastore: str | None, app: str | None, as_json: bool) -> None:
        name = session.app_name(app)
        found = session.services.diagnosing.report(session.actor, name, datastore, report)
        rows = [{key: value for key, value in row.items() if key != "color"} for row in found]
        if as_json:
            print_json(rows)
        elif rows:
            _print(rows)
        else:
            session.terminal.detail("None.")

    return command


ps = _report(Report.PS, "Show the statements that an app's PostgreSQL is running.")
locks = _report(Report.LOCKS, "Show the locks that sessions of an app's PostgreSQL hold.")
blocking = _report(Report.BLOCKING, "Show which sessions of an app's PostgreSQL wait for which.")
outliers = _report(Report.OUTLIERS, "Show the statements that took the most time in total.")
bloat = _report(Report.WASTE, "Estimate how much of each table is wasted space.", "bloat")
cache_hit = _report(Report.CACHE_HIT, "Show which tables are read from the disk.")
index_usage = _report(Report.INDEX_USAGE, "Show how often reads of each table use an index.")
table_size = _report(Report.TABLE_SIZE, "Show the largest tables of an app's PostgreSQL.")
vacuum_stats = _report(Report.VACUUM_STATS, "Show dead rows, and when each table was vacuumed.")


@click.command("pg:kill")
@click.argument("pid", type=click.IntRange(1))
@_NAME
@app_option
@pass_session
def kill(session: Session, pid: int, datastore: str | None, app: str | None) -> None:
    """End a session of an app's PostgreSQL; its transaction is rolled back.

    Example: paas pg:kill 4711 -a shop
    """
    session.services.diagnosing.end(session.actor, session.app_name(app), datastore, pid)
    session.terminal.step(f"Ended the session {pid}")


def _print(rows: Sequence[Row]) -> None:
    if not rows:
        return
    keys = [key for key in rows[0] if key != "color"]
    headers = [key.replace("_", " ").capitalize() for key in keys]
    cells = [[_cell(row[key]) for key in keys] for row in rows]
    print_table(headers, cells, flexible=headers[-1])


def _cell(value: object) -> str:
    """The value on one line."""
    return "" if value is None else " ".join(str(value).split())
