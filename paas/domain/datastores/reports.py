"""Reports on a running PostgreSQL, and how their results are judged, as on Heroku."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

Row = Mapping[str, object]


class Report(StrEnum):
    """A report, whose result is a table. The last ones are parts of `pg:diagnose`."""

    PS = "ps"
    LOCKS = "locks"
    BLOCKING = "blocking"
    OUTLIERS = "outliers"
    CACHE_HIT = "cache-hit"
    INDEX_USAGE = "index-usage"
    TABLE_SIZE = "table-size"
    VACUUM_STATS = "vacuum-stats"
    WASTE = "wasted space"
    CONNECTIONS = "connections"
    LONG_TRANSACTIONS = "long transactions"
    HIT_RATE = "cache hit rate"
    SEQ_SCANS = "sequential scans"
    UNUSED_INDEXES = "unused indexes"
    BLOAT = "bloat"


CHECKS = (
    Report.CONNECTIONS,
    Report.LONG_TRANSACTIONS,
    Report.BLOCKING,
    Report.HIT_RATE,
    Report.SEQ_SCANS,
    Report.UNUSED_INDEXES,
    Report.BLOAT,
)
_ADVICE = {
    Report.CONNECTIONS: "near the limit of the plan: smaller pools, fewer processes",
    Report.LONG_TRANSACTIONS: "they hold locks and keep rows from being cleaned up",
    Report.BLOCKING: "sessions wait for others: paas pg:kill ends one",
    Report.HIT_RATE: "much is read from the disk: a larger plan, or indexes",
    Report.SEQ_SCANS: "large tables are read in full: an index may be missing",
    Report.UNUSED_INDEXES: "they slow down writes, and have not been used since statistics began",
    Report.BLOAT: "many rows are dead: run VACUUM, or end what blocks autovacuum",
}


class Color(StrEnum):
    """Heroku's words: GREEN is fine, YELLOW is worth a look, RED needs attention."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


@dataclass(frozen=True, slots=True)
class Judged:
    """One check of ``pg:diagnose``. rows: those that are yellow or red, with their ``color``."""

    check: Report
    rows: Sequence[Row]

    @property
    def color(self) -> Color:
        """The most serious color of its rows."""
        found = {row.get("color") for row in self.rows}
        return next((color for color in (Color.RED, Color.YELLOW) if color in found), Color.GREEN)

    @property
    def advice(self) -> str:
        """What it means if it is not green."""
        return _ADVICE[self.check]


def judged(check: Report, rows: Sequence[Row]) -> Judged:
    """The rows without the green ones."""
    return Judged(check, [row for row in rows if row.get("color") != Color.GREEN])
