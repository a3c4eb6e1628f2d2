"""Compares a restored copy of a datastore with the original: pure functions on psql's output."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from paas.adapters.datastores.postgresql.archive_sql import ROWS_MIN
from paas.domain.datastores.archives import Rehearsal

# The row that is written each minute may be as much older than the moment.
OLDEST = timedelta(minutes=2)
# How much the estimated rows of a table may differ, of those of the original.
SHARE = 0.1
_PROBLEMS = 5


def compared(restored: Sequence[str], live: Sequence[str], moment: datetime) -> Rehearsal:
    """restored: the output of `archive_sql.look` and the check. live: the tables of the original.

    moment: to which it was restored.
    """
    beat = next((line.partition("|")[2] for line in restored if line.startswith("heartbeat|")), "")
    to = datetime.fromtimestamp(float(beat), UTC) if beat else None
    problems = []
    if to is None:
        problems.append("The copy lacks the rows that are written each minute.")
    elif to < moment - OLDEST:
        problems.append(
            f"The newest row of each minute is of {to:%H:%M:%S}, and the copy should be as of "
            f"{moment:%H:%M:%S} UTC."
        )
    damage = next((n for n, line in enumerate(restored) if line.startswith("damage|")), None)
    if damage is not None:
        said = next((line for line in restored[:damage] if "|" not in line and line), "")
        problems.append(f"pg_amcheck found damage: {said}")
    tables = _tables(restored)
    problems += list(_differences(tables, _tables(live)))
    return Rehearsal(to, len(tables), tuple(problems[:_PROBLEMS]))


def _tables(lines: Iterable[str]) -> dict[str, int]:
    """Name and estimated rows; -1 where PostgreSQL has not estimated them yet."""
    found = {}
    for line in lines:
        kind, _, rest = line.partition("|")
        name, _, rows = rest.rpartition("|")
        if kind == "table" and rows.lstrip("-").isdigit():
            found[name] = int(rows)
    return found


def _differences(tables: dict[str, int], live: dict[str, int]) -> Iterable[str]:
    """One table may have been created or dropped in between; more than one is a problem."""
    missing = sorted(live.keys() - tables.keys())
    if len(missing) > 1:
        yield f"The copy lacks {len(missing)} tables, such as {missing[0]}."
    for name in sorted(live.keys() & tables.keys()):
        rows, there = live[name], tables[name]
        are_known = min(rows, there) >= 0 and max(rows, there) >= ROWS_MIN
        if are_known and abs(rows - there) > SHARE * max(rows, there):
            yield f"{name} has about {there} rows in the copy, and {rows} in the original."
