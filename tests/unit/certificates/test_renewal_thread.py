"""How the monitor process has certificates seen to: how many at once, and when again."""

import threading
from datetime import datetime

import pytest

from paas.entrypoints.daemons.renewal import (
    BESIDE_S,
    FAULT_PAUSE_S,
    PAUSE_S,
    RUNNING_MAX,
    CertificateRenewal,
)
from tests.fakes.output import FakeClock
from tests.waiting import wait_for


class Changed:
    """A store that was changed since it was last looked at, if a test says so."""

    value = True

    def any(self) -> bool:
        return self.value


class Work:
    """What the thread starts: it runs until a test ends it."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.changed = Changed()
        self.is_due = True
        self.begun = 0
        self.faults: list[str] = []
        self._end = threading.Event()
        self.renewal = CertificateRenewal(
            self._due, self.clock, self.changed, self._renew, self.faults.append
        )

    def _due(self, now: datetime) -> bool:
        return self.is_due

    def _renew(self) -> None:
        self.begun += 1
        self._end.wait()
        if self.faults:
            raise ValueError(self.faults)

    def look(self, seconds: float = 0) -> int:
        """Look after a while; how many were started by then."""
        self.clock.seconds += seconds
        before, started = self.begun, threading.active_count()
        self.renewal.look()
        if threading.active_count() > started:
            wait_for(lambda: self.begun > before, what="the thread to begin")
        return self.begun

    def end(self) -> None:
        """End all that run."""
        running = [one for one in threading.enumerate() if one.name == "certificate"]
        self._end.set()
        for one in running:
            one.join(60)
        self._end = threading.Event()


@pytest.fixture
def work() -> Work:
    return Work()


def test_more_are_begun_while_more_is_due(work: Work) -> None:
    """One after the other, and no more than so many."""
    try:
        assert work.look() == 1
        assert work.look(BESIDE_S / 2) == 1
        assert work.look(BESIDE_S) == 2
        work.is_due = False
        assert work.look(BESIDE_S) == 2
        work.is_due = True
        for _ in range(RUNNING_MAX + 2):
            work.look(BESIDE_S)
        assert work.begun == RUNNING_MAX
    finally:
        work.end()


def test_a_pause_follows_the_last_one(work: Work) -> None:
    """What failed is retried when the store says so; after a fault of ours it takes longer."""
    work.look()
    work.end()
    assert work.look(BESIDE_S) == 1
    work.changed.value = False
    assert work.look(PAUSE_S) == 1
    work.changed.value = True
    assert work.look(PAUSE_S) == 2
    work.faults.append("a fault")
    work.end()
    assert "ValueError" in work.faults[-1]
    assert work.look(FAULT_PAUSE_S - 1) == 2
    work.changed.value = True
    work.faults.clear()
    assert work.look(2) == 2
    assert work.look(PAUSE_S) == 3
    work.end()
