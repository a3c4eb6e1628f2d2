"""When dumps are due, which are kept, and which are missing."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta

import pytest

from paas.domain.datastores.dumps import (
    Dump,
    DumpSchedule,
    DumpState,
    default_schedule,
    dump_id,
    expired,
    is_due,
    overdue_since,
    parse_schedule,
)
from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.datastores.names import DatastoreName
from paas.domain.values.errors import PaasError

NAME = DatastoreName("postgresql-curly-1234")
MADE = datetime(2026, 11, 1, 12, tzinfo=UTC)
AT_TWO = DumpSchedule(time(2, 0), "UTC")


def dump(
    at: datetime, state: DumpState = DumpState.DONE, user: str | None = None, id: int = 0
) -> Dump:
    """One that was begun then."""
    return Dump(
        id=id or int(at.timestamp()),
        app_id=1,
        datastore=NAME,
        kind=DatastoreKind.POSTGRESQL,
        version="15",
        object="x",
        target="here",
        user=user,
        state=state,
        started_at=at,
    )


def test_a_schedule() -> None:
    """As Heroku writes it; summer time counts."""
    found = parse_schedule("02:30 Europe/Stockholm")
    assert found.words == "02:30 Europe/Stockholm"
    summer = found.latest(datetime(2026, 7, 1, 12, tzinfo=UTC))
    winter = found.latest(datetime(2026, 12, 1, 12, tzinfo=UTC))
    assert (summer.astimezone(UTC).hour, winter.astimezone(UTC).hour) == (0, 1)
    assert parse_schedule("2:00").words == "02:00 UTC"
    assert AT_TWO.latest(datetime(2026, 12, 1, 1, 59, tzinfo=UTC)).day == 30


@pytest.mark.parametrize(
    "text", ["", "02", "24:00", "02:60", "02:00 Mars/Base", "02:00 ../../etc/passwd", "02:00\n"]
)
def test_a_bad_schedule(text: str) -> None:
    """It is refused, not repaired; a newline at the end is space."""
    if text == "02:00\n":
        assert parse_schedule(text).words == "02:00 UTC"
        return
    with pytest.raises(PaasError) as caught:
        parse_schedule(text)
    assert caught.value.reference == "dump-schedule"


def test_the_default_is_at_night_and_differs_by_name() -> None:
    """So that not all are dumped at once."""
    found = {default_schedule(DatastoreName(f"postgresql-{n}")).words for n in range(50)}
    assert len(found) > 30
    assert all(words < "06:00" for words in found)
    assert default_schedule(NAME) == default_schedule(NAME)


def test_names() -> None:
    """As on Heroku."""
    assert dump(MADE, id=12).name == "b012"
    assert dump_id("b012") == 12
    for bad in ("", "12", "b", "b12\n", "a001"):
        with pytest.raises(PaasError):
            dump_id(bad)


@pytest.mark.parametrize(
    ("now", "dumps", "due"),
    [
        # Not before the first time of the schedule.
        (MADE + timedelta(hours=13), [], False),
        (MADE + timedelta(hours=14), [], True),
        # It was made, or is being made.
        (MADE + timedelta(hours=15), [dump(MADE + timedelta(hours=14))], False),
        (
            MADE + timedelta(hours=15),
            [dump(MADE + timedelta(hours=14), DumpState.RUNNING)],
            False,
        ),
        # What failed is tried again after an hour.
        (
            MADE + timedelta(hours=14, minutes=30),
            [dump(MADE + timedelta(hours=14), DumpState.FAILED)],
            False,
        ),
        (
            MADE + timedelta(hours=15),
            [dump(MADE + timedelta(hours=14), DumpState.FAILED)],
            True,
        ),
        # What was missed while the server was down is made up for.
        (MADE + timedelta(days=9), [dump(MADE + timedelta(hours=14))], True),
    ],
)
def test_what_is_due(now: datetime, dumps: Sequence[Dump], *, due: bool) -> None:
    """By the clock and what was made."""
    assert is_due(AT_TWO, MADE, dumps, now) is due


def test_what_is_missing() -> None:
    """26 hours after the last good one, or after the datastore was made; a failed one counts
    nothing.
    """
    soon, late = timedelta(hours=25), timedelta(hours=27)
    assert overdue_since(MADE, [], MADE + soon) is None
    assert overdue_since(MADE, [], MADE + late) == MADE
    good = dump(MADE + timedelta(days=3))
    failed = dump(MADE + timedelta(days=4), DumpState.FAILED)
    assert overdue_since(MADE, [good, failed], good.started_at + soon) is None
    assert overdue_since(MADE, [good, failed], good.started_at + late) == good.started_at


def test_what_is_kept() -> None:
    """Of each of seven days and of four weeks the last one; what users made, always."""
    days = [dump(MADE + timedelta(days=n), id=n + 1) for n in range(60)]
    twice = dump(MADE + timedelta(days=59, hours=1), id=100)
    by_hand = dump(MADE, user="alice", id=200)
    gone = {one.id for one in expired([*days, twice, by_hand])}
    kept = [one.id for one in [*days, twice, by_hand] if one.id not in gone]
    # The last days, and the last of the two weeks before: the 13th and the 20th of December.
    assert kept == [43, 50, *range(54, 60), 100, 200]


def test_a_pause_deletes_nothing() -> None:
    """Days and weeks are counted by the dumps that there are."""
    few = [dump(MADE + timedelta(days=n), id=n + 1) for n in range(7)]
    later = dump(MADE + timedelta(days=400), id=50)
    assert expired([*few, later]) == []


def test_failed_ones_are_forgotten() -> None:
    """When there is a newer good one."""
    failed = dump(MADE, DumpState.FAILED, id=1)
    assert expired([failed]) == []
    assert expired([failed, dump(MADE + timedelta(days=1), id=2)]) == [failed]
