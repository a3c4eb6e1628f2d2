"""The backoff of restarts, decided without a clock."""

import json

import pytest

from paas.entrypoints.launcher.record import (
    Record,
    delay_after,
    plan_start,
    record_from,
    started_after_wait,
)


def test_first_start_is_at_once() -> None:
    """Without a former start there is nothing to wait for."""
    record, delay = plan_start(None, 1000.0, 7)
    assert (record.exits, record.streak, record.state, delay) == (0, 0, "running", 0.0)


def test_a_crash_loop_waits_longer_each_time() -> None:
    """One restart at once, then 1, 2, 4, ... seconds, never over 300."""
    now, delays = 1000.0, []
    record, delay = plan_start(None, now, 7)
    for _ in range(13):
        now += 0.5
        record, delay = plan_start(record, now, 7)
        delays.append(delay)
        now += delay
        if delay:
            assert (record.state, record.until) == ("waiting", now)
            record = started_after_wait(record, now)
    assert delays == [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]
    assert record.exits == 13


def test_a_process_that_stayed_up_starts_at_once() -> None:
    """More than a minute of life ends the streak, but not the count."""
    past = Record(exits=9, streak=9, started=1000.0, parent=7)
    record, delay = plan_start(past, 1060.5, 7)
    assert (record.exits, record.streak, delay) == (10, 1, 0.0)
    record, delay = plan_start(past, 1060.0, 7)
    assert (record.exits, record.streak, delay) == (10, 10, 256.0)


def test_a_wait_that_was_cut_short_goes_on() -> None:
    """A stop and start in the middle of a wait is not counted as a crash."""
    past = Record(exits=5, streak=5, started=1.0, state="waiting", until=1008.0, parent=7)
    record, delay = plan_start(past, 1003.0, 7)
    assert (record.exits, record.state, record.until, delay) == (5, "waiting", 1008.0, 5.0)
    record, delay = plan_start(past, 1009.0, 7)
    assert (record.exits, record.state, delay) == (5, "running", 0.0)


def test_a_clock_that_jumped_cannot_stop_an_app() -> None:
    """A wait is never longer than its step, wherever the clock has gone."""
    past = Record(exits=3, streak=3, started=1.0, state="waiting", until=9e9, parent=7)
    assert plan_start(past, 1000.0, 7)[1] == delay_after(3) == 2.0


def test_a_new_supervisor_starts_anew() -> None:
    """What ran under a supervisor that is gone did not crash."""
    past = Record(exits=9, streak=9, started=1000.0, parent=7)
    record, delay = plan_start(past, 1000.5, 8)
    assert (record.exits, delay, record.parent) == (0, 0.0, 8)


def test_json_round_trip() -> None:
    """The text written by hand is JSON with the documented names."""
    for until in (None, 12.5):
        record = Record(exits=1, streak=2, started=3.5, state="waiting", until=until, parent=4)
        value = json.loads(record.to_json())
        assert value == {
            "exits": 1,
            "streak": 2,
            "started": 3.5,
            "state": "waiting",
            "until": until,
            "parent": 4,
        }
        again = record_from(value)
        assert again is not None
        assert again.to_json() == record.to_json()


@pytest.mark.parametrize("value", [None, [], {}, {"exits": "x"}, 3, "running"])
def test_a_damaged_record_counts_as_none(value: object) -> None:
    """Anything else in the file means a first start."""
    assert record_from(value) is None
