"""The scheduler: histories of looks at the clock, over restarts."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from paas.adapters.system.bookmark_file import FileBookmark
from paas.domain.values.errors import PaasError
from paas.entrypoints.daemons.scheduler import CronScheduling
from paas.services.runs.scheduler import Due
from paas.wiring.monitor import scheduler
from tests.fakes.world import ROOT, World
from tests.unit.runs.test_cron import deploy


def at(text: str) -> datetime:
    """A moment of the day after the fakes': ``12:00:30``."""
    return datetime.fromisoformat(f"2026-01-02T{text}+00:00")


class Always:
    """Changes, each time."""

    def any(self) -> bool:
        return True

    def forget(self) -> None:
        pass


@dataclass
class Bench:
    """A world with a scheduler that is restarted at will. down: whether nothing can be started."""

    world: World
    started: list[str] = field(default_factory=list)
    down: bool = False

    def process(self) -> CronScheduling:
        """A fresh process."""
        found = scheduler(self.world.adapters)
        return CronScheduling(found, Always(), self.start, lambda _: None)

    def start(self, due: Due) -> str | None:
        if self.down:
            return "the gate is down"
        self.started.append(f"{due.job.name} {due.at:%H:%M}")
        return None

    def told(self) -> list[str]:
        """What the app's log has of missed and interrupted runs."""
        return [text for _, _, text in self.world.logs.lines if "Missed" in text or "inter" in text]


@pytest.fixture
def bench(world: World) -> Bench:
    """An app with a job of each minute."""
    deploy(world, procfile=b"cron-a: * * * * * x\n")
    world.bookmark.write(at("11:59:30"))
    return Bench(world)


def test_each_minute_once(bench: Bench) -> None:
    """Looks in the same minute, and a restart in it, find nothing more."""
    process = bench.process()
    for moment in ("12:00:00", "12:00:30", "12:01:00"):
        process.look(at(moment))
    bench.process().look(at("12:01:20"))
    assert bench.started == ["a 12:00", "a 12:01"]
    assert bench.told() == []


def test_missed(bench: Bench) -> None:
    """After an absence one run is made; the others are reported, once, and not made."""
    for _ in range(2):
        bench.process().look(at("12:05:10"))
    assert bench.started == ["a 12:05"]
    assert bench.told() == [
        "Missed 5 runs, from 2026-01-02 12:00 to 2026-01-02 12:04 UTC: "
        "the server was not looking at the clock then"
    ]
    (item,) = bench.world.cron.listing(ROOT, "shop")
    assert (item.state.missed, item.state.missed_at) == (5, at("12:04:00"))


def test_suspended_jobs_miss_nothing(bench: Bench) -> None:
    """Neither while the server is up nor while it is down."""
    bench.world.cron.suspend(ROOT, "shop", [], suspended=True)
    bench.process().look(at("12:05:10"))
    assert (bench.started, bench.told()) == ([], [])


def test_nothing_was_missed_before_it_was_there(bench: Bench) -> None:
    """A job that came with a deploy while nothing looked has missed nothing from before."""
    bench.world.bookmark.write(datetime(2025, 12, 31, tzinfo=UTC))
    bench.process().look(datetime(2026, 1, 1, 0, 1, tzinfo=UTC))
    assert (bench.started, bench.told()) == (["a 00:01"], [])


def test_killed_before_the_mark_was_written(bench: Bench) -> None:
    """What was dealt with already is known from the store."""
    app = bench.world.store.apps.find("shop")
    assert app is not None
    bench.world.cron.start_due(app.id, "a", at("12:03:00"))
    bench.world.bookmark.write(at("12:00:00"))
    bench.process().look(at("12:04:00"))
    assert bench.started == ["a 12:04"]
    assert bench.told() == []


def test_not_started(bench: Bench) -> None:
    """A run that could not be started is reported as missed, with the reason."""
    bench.down = True
    process = bench.process()
    process.look(at("12:00:00"))
    assert bench.told() == ["Missed the run of 2026-01-02 12:00 UTC: the gate is down"]
    bench.down = False
    process.look(at("12:01:00"))
    assert bench.started == ["a 12:01"]


def test_the_clock_is_set(bench: Bench) -> None:
    """Forward: skipped runs are reported. Back by a little: no run twice. By a lot: start over."""
    process = bench.process()
    process.look(at("12:00:00"))
    process.look(at("14:00:00"))
    assert bench.started == ["a 12:00", "a 14:00"]
    assert len(bench.told()) == 1
    process.look(at("13:00:00"))
    process.look(at("14:01:00"))
    assert bench.started[2:] == ["a 14:01"]
    process.look(at("09:00:00"))
    process.look(at("09:01:00"))
    assert bench.started[3:] == ["a 09:01"]


def test_interrupted(bench: Bench) -> None:
    """A run whose process is gone without a result is reported, once."""
    bench.world.cron.detach(ROOT, "shop", "a")
    process = bench.process()
    process.look(at("12:00:00"))
    assert bench.told() == []
    bench.world.runs.running.clear()
    process.look(at("12:01:00"))
    process.look(at("12:02:00"))
    assert [text.split(" of ")[0] for text in bench.told()] == ["The run"]
    (item,) = bench.world.cron.listing(ROOT, "shop")
    assert item.state.ended is not None


def test_a_release_from_before(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A schedule that no push would accept now harms no other."""

    def broken(_schedule: str, _moment: datetime) -> datetime | None:
        raise PaasError("cron-schedule", "wrong")

    monkeypatch.setattr(bench.world.schedules, "next_after", broken)
    bench.process().look(at("12:00:00"))
    (item,) = bench.world.cron.listing(ROOT, "shop")
    assert (bench.started, item.next) == ([], None)


def test_the_bookmark_in_a_file(tmp_path: Path) -> None:
    """It comes back as it was; missing, damaged or without a zone it counts for nothing."""
    bookmark = FileBookmark(tmp_path / "cron")
    assert bookmark.read() is None
    bookmark.write(at("12:00:00"))
    assert FileBookmark(tmp_path / "cron").read() == at("12:00:00")
    for content in (b"", b"\xff\0", b"2026-01-02T12:00:00", b"noon"):
        (tmp_path / "cron").write_bytes(content)
        assert bookmark.read() is None
