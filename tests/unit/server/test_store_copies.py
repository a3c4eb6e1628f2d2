"""When the database is copied: soon after a change, kept once an hour, and checked."""

from datetime import datetime, timedelta

import pytest

from paas.domain.values.errors import PaasError
from paas.entrypoints.daemons.store_copies import StoreCopying
from tests.fakes.output import FakeClock


class Store:
    """A store that changes, its copies, and what is found wrong with it."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.changed = False
        self.made: list[str] = []
        self.hours: list[datetime] = []
        self.fault: PaasError | None = None
        self.checks = 0
        self.seals = 0
        self.refuses = False
        self.takes_s = 0.0
        self.copying = StoreCopying(
            self, self, self.clock, self.settle, self.check, self.seal, self.made.append
        )

    def any(self) -> bool:
        changed, self.changed = self.changed, False
        return changed

    def settle(self) -> None:
        if self.fault is not None:
            raise self.fault

    def seal(self) -> None:
        self.seals += 1

    def check(self) -> PaasError | None:
        self.checks += 1
        return self.fault

    def latest(self) -> None:
        self.clock.sleep(self.takes_s)
        if self.refuses:
            raise PaasError("copy-damaged", "A copy of the database is damaged.")
        self.made.append("latest")

    def hourly(self, now: datetime) -> None:
        self.hours.append(now)

    def newest_hourly(self) -> datetime | None:
        return max(self.hours, default=None)

    def wait(self, seconds: float, *, changing: bool = False) -> None:
        """Let time pass, one look a second."""
        for _ in range(round(seconds)):
            self.clock.sleep(1.0)
            self.changed = self.changed or changing
            self.copying.look()


def test_a_copy_soon_after_a_change() -> None:
    """When it has settled; during frequent changes, now and then."""
    store = Store()
    store.changed = True
    store.wait(1)
    assert store.made == []
    store.wait(5)
    assert store.made == ["latest"]
    store.wait(60, changing=True)
    assert 2 <= len(store.made) <= 5
    store.wait(10)
    made = len(store.made)
    store.wait(100)
    assert len(store.made) == made


def test_one_for_each_hour_with_a_change() -> None:
    """Where nothing changed there is none to keep; a late change of an hour gets its own."""
    store = Store()
    store.changed = True
    store.wait(5)
    assert len(store.hours) == 1
    store.changed = True
    store.wait(600)
    assert len(store.hours) == 1
    store.wait(3600)
    assert len(store.hours) == 2
    store.wait(3 * 3600)
    assert len(store.hours) == 2
    assert store.hours[1] - store.hours[0] >= timedelta(hours=1)


def test_a_large_database_is_copied_less_often() -> None:
    """It must not take the machine from the apps."""
    store = Store()
    store.takes_s = 10.0
    store.wait(2000, changing=True)
    assert 3 <= len(store.made) <= 5


def test_a_damaged_one_is_found() -> None:
    """By the copy; the whole of it is looked at then, and each hour."""
    store = Store()
    store.wait(1)
    assert (store.checks, store.seals) == (1, 1)
    store.changed = store.refuses = True
    store.fault = None
    with pytest.raises(PaasError, match="A copy"):
        store.wait(5)
    assert (store.checks, store.seals) == (2, 1)
    store.refuses = False
    store.fault = PaasError("store-damaged", "It is damaged.")
    with pytest.raises(PaasError, match="It is damaged"):
        store.wait(3700)
