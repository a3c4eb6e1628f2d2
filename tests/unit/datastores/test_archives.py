"""When backups and rehearsals are due, what is an alarm, and which moments can be named."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from paas.domain.backups.keys import BackupKey
from paas.domain.datastores.archives import (
    ArchiveName,
    Archiving,
    BaseBackup,
    Holdings,
    Outcome,
    Task,
    TaskRun,
    alarms,
    archive_passphrase,
    daily_moment,
    due_backup,
    is_rehearsal_due,
    parse_archive_name,
    parse_moment,
    restorable_from,
)
from paas.domain.values.errors import PaasError
from paas.domain.values.secret import Secret

NAME = "postgresql-curly-1234"
NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
DAILY = daily_moment(NAME, NOON)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def run(task: Task, at: datetime, outcome: Outcome = Outcome.DONE, words: str = "") -> TaskRun:
    """One that took a minute."""
    return TaskRun(task, at, at + timedelta(minutes=1), outcome, words)


def due(runs: list[TaskRun], now: datetime, *, lost: bool = False) -> Task | None:
    return due_backup(NAME, runs, now, lost=lost)


def test_the_first_backup_is_full_and_made_at_once() -> None:
    """And again ten minutes after one that failed."""
    assert due([], NOON) is Task.FULL
    failed = run(Task.FULL, NOON, Outcome.FAILED)
    assert due([failed], NOON + timedelta(minutes=5)) is None
    assert due([failed], NOON + timedelta(minutes=12)) is Task.FULL


def test_one_a_day_at_the_minute_of_the_name_and_a_full_one_each_week() -> None:
    """A day's is made once, however late."""
    runs = [run(Task.FULL, DAILY)]
    assert due(runs, DAILY + 23 * HOUR) is None
    assert due(runs, DAILY + DAY) is Task.INCREMENTAL
    made = []
    for hour in range(24 * 15):
        now = DAILY + (hour + 1) * HOUR
        if (task := due(runs, now)) is not None:
            made.append(task)
            runs = [run(task, now), *runs]
    week = [Task.INCREMENTAL] * 6 + [Task.FULL]
    assert made == week * 2 + [Task.INCREMENTAL]


def test_a_full_backup_ends_a_gap() -> None:
    """After log files were given up, no incremental one does."""
    assert due([run(Task.FULL, NOON - HOUR)], NOON, lost=True) is Task.FULL


def test_a_rehearsal_each_week_half_a_day_after_the_backup() -> None:
    """The first one soon; one that was skipped or failed is tried again the next day."""
    full = run(Task.FULL, DAILY)
    assert not is_rehearsal_due(NAME, [], DAILY)
    assert not is_rehearsal_due(NAME, [full], DAILY + timedelta(minutes=10))
    assert is_rehearsal_due(NAME, [full], DAILY + 2 * HOUR)
    first = run(Task.REHEARSAL, DAILY + 2 * HOUR)
    for days in range(1, 7):
        assert not is_rehearsal_due(NAME, [first, full], DAILY + days * DAY + 6 * HOUR)
    assert is_rehearsal_due(NAME, [first, full], DAILY + 7 * DAY + 13 * HOUR)
    skipped = replace(first, outcome=Outcome.SKIPPED)
    assert not is_rehearsal_due(NAME, [skipped, full], DAILY + 3 * HOUR)
    assert is_rehearsal_due(NAME, [skipped, full], DAILY + DAY + 13 * HOUR)


def test_what_is_kept_reaches_back_to_the_second_last_full_backup() -> None:
    """The older ones are deleted."""
    assert restorable_from([]) is None
    fulls = [run(Task.FULL, NOON - weeks * 7 * DAY) for weeks in range(4)]
    second = timedelta(seconds=1)
    assert restorable_from(fulls[:1]) == fulls[0].ended + second
    assert restorable_from(fulls) == fulls[1].ended + second


def test_the_earliest_moment_told_is_never_before_that_of_the_archive() -> None:
    """The archive knows ends to the second, and the record of a run to the microsecond."""
    stopped = NOON + timedelta(seconds=34)
    backup = BaseBackup("20260310-120000F", True, NOON, stopped, 1, 1)
    oldest = Holdings((backup,), "15").oldest
    assert oldest is not None
    for later_s in (0.0, 0.4, 0.999, 1.0, 5.2):
        ended = stopped + timedelta(seconds=later_s)
        told = restorable_from([TaskRun(Task.FULL, NOON, ended, Outcome.DONE, "")])
        assert told is not None
        assert oldest <= told <= ended + timedelta(seconds=1)


def test_a_missing_success_is_an_alarm() -> None:
    """Whatever the jobs say, and though no job says anything."""
    fine = Archiving(NOON, None, None)
    made = NOON - 3 * DAY
    assert alarms(NOON - DAY, [], fine, NOON) == []
    (words,) = alarms(made, [], fine, NOON)
    assert words.startswith("no backup has succeeded since 2026-03-07 12:00 UTC")
    good = run(Task.INCREMENTAL, NOON - 25 * HOUR)
    assert alarms(made, [good], fine, NOON) == []
    failed = run(Task.INCREMENTAL, NOON - HOUR, Outcome.FAILED, "The target is away")
    (words,) = alarms(made, [failed, good], fine, NOON + 2 * HOUR)
    assert words.endswith("The last one failed: The target is away.")


def test_a_log_that_waits_or_was_given_up_is_an_alarm() -> None:
    """After a quarter of an hour."""
    runs = [run(Task.FULL, NOON - HOUR)]
    short = Archiving(NOON, NOON - timedelta(minutes=10), None)
    assert alarms(NOON, runs, short, NOON) == []
    (words,) = alarms(NOON, runs, replace(short, failing_since=NOON - HOUR), NOON)
    assert "have not been archived since 2026-03-10 11:00 UTC" in words
    (words,) = alarms(NOON, runs, Archiving(NOON, None, NOON - HOUR), NOON)
    assert "log files were dropped since 2026-03-10 11:00 UTC" in words


def test_rehearsals_that_failed_once_or_were_skipped_three_times_are_alarms() -> None:
    """Two skips are none."""
    fine = Archiving(NOON, None, None)
    full = run(Task.FULL, NOON - HOUR)
    skip = run(Task.REHEARSAL, NOON - HOUR, Outcome.SKIPPED, "No room.")
    assert alarms(NOON, [skip, skip, full], fine, NOON) == []
    (words,) = alarms(NOON, [skip, skip, skip, full], fine, NOON)
    assert words == "its backup has not been rehearsed 3 times in a row: No room."
    failed = replace(skip, outcome=Outcome.FAILED, words="It lacks a table.")
    (words,) = alarms(NOON, [failed, full], fine, NOON)
    assert words == "its backup could not be rehearsed: It lacks a table."


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-03-10 11:30", NOON - HOUR / 2),
        ("2026-03-10T11:30:00Z", NOON - HOUR / 2),
        ("2026-03-10T12:30:00+01:00", NOON - HOUR / 2),
        ("30 min ago", NOON - HOUR / 2),
        ("1h", NOON - HOUR),
        ("90 s ago", NOON - timedelta(seconds=90)),
    ],
)
def test_moments(text: str, moment: datetime) -> None:
    """In UTC unless they say otherwise, or counted back from now."""
    assert parse_moment(text, NOON) == moment


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2026-03-10 12:01", "11:30\n", "-1 min ago", "9"]
)
def test_what_is_no_moment(text: str) -> None:
    """Nor is one in the future."""
    with pytest.raises(PaasError) as caught:
        parse_moment(text, NOON)
    assert caught.value.reference == "moment"


def test_names_of_archives() -> None:
    """They become paths: nothing else is taken."""
    name = f"{NAME}.20260310T120000Z"
    assert parse_archive_name(name) == name
    for wrong in ("", NAME, f"../{name}", f"{name}\n", f"{name}/x", "archive.20260310T120000Z"):
        with pytest.raises(PaasError):
            parse_archive_name(wrong)


def test_each_archive_has_a_passphrase_of_its_own() -> None:
    """Which the key and the name tell again."""
    key = BackupKey(Secret("AGE-SECRET-KEY-1A"), Secret("age1a"))
    other = BackupKey(Secret("AGE-SECRET-KEY-1B"), Secret("age1b"))
    one, two = ArchiveName("a"), ArchiveName("b")
    found = archive_passphrase(key, one).reveal()
    assert found == archive_passphrase(key, one).reveal()
    assert len({found, archive_passphrase(key, two).reveal()}) == 2
    assert found != archive_passphrase(other, one).reveal()
