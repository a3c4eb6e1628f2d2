"""What a Clock promises, for the fake and the machine's alike."""

from datetime import timedelta

import pytest

from paas.adapters.system.clock import SystemClock
from paas.interfaces import Clock
from tests.fakes.output import FakeClock


@pytest.fixture(params=[FakeClock, SystemClock])
def clock(request: pytest.FixtureRequest) -> Clock:
    """Each kind."""
    made: Clock = request.param()
    return made


def test_the_time_is_utc_and_does_not_stand(clock: Clock) -> None:
    """Two moments are in their order."""
    first = clock.now()
    assert first.utcoffset() == timedelta(0)
    assert first <= clock.now()


def test_who_sleeps_wakes_no_earlier(clock: Clock) -> None:
    """By the clock that never goes back."""
    before = clock.monotonic()
    clock.sleep(0.02)
    assert clock.monotonic() >= before + 0.02
