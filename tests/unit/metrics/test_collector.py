"""The collector, and what users see of what it found."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from paas.adapters.metrics.router_counter import RouterCounter
from paas.domain.metrics.latency import BOUNDS_MS, BUCKETS, bucket_of, percentile
from paas.domain.metrics.resolutions import FINEST
from paas.domain.values.errors import PaasError
from paas.entrypoints.daemons.metrics import PAUSE_S, MetricsTurns
from paas.entrypoints.daemons.supervised import Changes
from paas.entrypoints.operations.metrics import plain_series, plain_totals
from paas.services.metrics.collector import Collector
from tests.contract.metrics.test_router_counter import line
from tests.fakes.runtime import Behaviour
from tests.fakes.world import ROOT, World


class Collected:
    """A world with the app shop, which runs, and the collector."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.app = world.app("shop")
        world.push("shop")
        self.collector = Collector(
            store=world.store,
            engines=world.engines,
            files=world.metrics_files,
            requests=RouterCounter(world.settings.paths.logs, 3),
            clock=world.clock,
        )
        self.collector.refresh()
        self.log = world.settings.paths.logs / str(self.app.id) / "router.log"
        self.log.parent.mkdir(parents=True)

    def turn(self, statuses: tuple[int, ...] = (), service: str = "0.010") -> None:
        """The next ten seconds, with these requests."""
        world = self.world
        at = FINEST.begin(world.clock.now().timestamp()) + 1
        with self.log.open("a") as file:
            file.write("".join(line(at, status, service) for status in statuses))
        world.clock.seconds = round(world.clock.seconds / 10) * 10 + FINEST.step_s
        self.collector.turn()

    def series(self, since_s: int = 60, points: int | None = None) -> dict[str, Any]:
        """What the operation answers."""
        return plain_series(self.world.metrics.series(ROOT, "shop", since_s, points))


@pytest.fixture
def collected(tmp_path: Path) -> Collected:
    """Nothing is collected yet."""
    return Collected(World(tmp_path))


def test_requests_and_load_are_shown_by_the_time(collected: Collected) -> None:
    """The first turn only looks where the counters and the log are."""
    collected.turn((200, 200))
    collected.turn((200, 302, 404, 500))
    collected.turn()
    found = collected.series()
    assert (found["step"], found["app"]) == (10, {"id": collected.app.id, "name": "shop"})
    assert found["requests"] == {
        "2xx": [None, None, None, 0, 1, 0],
        "3xx": [None, None, None, 0, 1, 0],
        "4xx": [None, None, None, 0, 1, 0],
        "5xx": [None, None, None, 0, 1, 0],
    }
    assert found["latency"] == {
        "p50": [None, None, None, None, 0.008, None],
        "p99": [None, None, None, None, 0.01, None],
    }
    assert found["memory"] == [None, None, None, *[10 * 1024**2] * 3]
    assert found["cpu"] == [None, None, None, 0.0, 0.0, 0.0]
    assert found["instances"] == [None, None, None, 1, 1, 1]
    assert found["processes"] == {
        "web.1": {name: found[name] for name in ("cpu", "memory", "restarts")}
    }
    end = collected.world.clock.now().timestamp()
    assert found["until"] == found["start"] + 60 == int(end)


def test_restarts_are_counted_from_the_first_look_on(collected: Collected) -> None:
    """And the CPU time since then."""
    collected.turn()
    for exits in (0, 3, 3):
        collected.world.runtime.behaviours["serve"] = Behaviour(exits=exits)
        collected.turn()
    assert collected.series(40)["restarts"] == [0, 0, 3, 0]
    ((_, totals),) = collected.world.metrics.totals(ROOT)
    assert totals.processes["web.1"].restarts == 3


def test_an_instance_that_comes_later_counts_from_its_start(collected: Collected) -> None:
    """Its CPU time up to the first look at it is that of its start."""
    collected.turn()
    seconds = collected.world.clock.seconds
    collected.world.push("shop", "b" * 40)
    collected.world.clock.seconds = seconds  # as if it had taken no time
    collected.collector.refresh()
    collected.turn()
    found = collected.series(20)
    assert found["cpu"] == [0.0, 10.0]
    assert [one["version"] for one in found["deploys"]][-1] == 2


def test_neighbouring_points_can_be_merged(collected: Collected) -> None:
    """For a narrower picture: counts are added, of gauges the highest counts."""
    for statuses in ((), (200,), (200, 500), (200,)):
        collected.turn(statuses)
    found = collected.series(40, points=2)
    assert (found["step"], len(found["cpu"])) == (20, 2)
    assert found["requests"]["2xx"] == [1, 2]
    assert found["instances"] == [1, 1]


def test_a_pause_leaves_a_gap(collected: Collected) -> None:
    """After it, counters are only looked at: nobody knows when what they count happened."""
    collected.turn()
    collected.world.clock.seconds += 3_600
    collected.world.runtime.behaviours["serve"] = Behaviour(exits=9)
    collected.turn((200,))
    found = collected.series(40)
    assert found["restarts"] == [None, None, None, 0]
    assert found["requests"]["2xx"] == [None, None, None, 1]


def test_while_nothing_is_collected_there_are_no_figures(collected: Collected) -> None:
    """They end where the collector did."""
    collected.turn()
    collected.world.clock.seconds += 300
    found = collected.series(60)
    assert found["memory"] == [None] * 6
    assert found["start"] > found["until"]


@pytest.mark.parametrize("since_s", [0, 31 * 86_400])
def test_only_what_is_kept_can_be_asked_for(collected: Collected, since_s: int) -> None:
    """Thirty days, and no more."""
    with pytest.raises(PaasError, match="30 days") as caught:
        collected.series(since_s)
    assert caught.value.reference == "metrics-since"


def test_an_app_without_figures_has_none(collected: Collected) -> None:
    """Before the first turn."""
    found = collected.series(20)
    assert (found["until"], found["memory"], found["processes"]) == (None, [None, None], {})


def test_the_metrics_of_a_destroyed_app_are_gone(collected: Collected) -> None:
    """Also those that a turn wrote at the same moment."""
    collected.turn()
    assert collected.world.metrics_files.apps() == {collected.app.id}
    collected.world.apps.destroy(ROOT, "shop", "shop", collected.world.progress)
    assert collected.world.metrics_files.apps() == set()
    collected.turn()
    collected.collector.refresh()
    assert collected.world.metrics_files.apps() == set()


def test_totals_are_those_of_the_apps_that_one_may_see(collected: Collected) -> None:
    """And count on for ever."""
    collected.turn()
    collected.turn((200, 500))
    collected.turn((200,))
    ((app, totals),) = collected.world.metrics.totals(ROOT)
    plain: dict[str, Any] = plain_totals(app, totals)
    assert plain["requests"] == {"2xx": 2, "3xx": 0, "4xx": 0, "5xx": 1}
    assert plain["latency"]["sum"] == 0.03
    assert collected.world.metrics.totals(collected.world.user("stranger")) == []


def test_a_full_disk_pauses_the_collector_and_is_told_once(
    collected: Collected, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing else fails, and it goes on by itself."""
    log: list[str] = []
    database = collected.world.store.database.path
    turns = MetricsTurns(collected.collector, Changes(database), collected.world.clock, log.append)
    turns.turn()
    assert turns.pause_s() <= FINEST.step_s
    with monkeypatch.context() as patch:
        patch.setattr("os.pwrite", no_space)
        turns.turn()
        turns.turn()
    assert turns.pause_s() == PAUSE_S
    turns.turn()
    assert log == [
        "metrics: paused, tried again each minute: No space left on device",
        "metrics: collected again.",
    ]


def no_space(*_: object) -> int:
    """What a write to a full disk does."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_percentiles_are_between_the_bounds_of_their_bucket() -> None:
    """Those of one request, of many, and of what is slower than all bounds."""
    assert percentile([0] * BUCKETS, 50) is None
    counts = [0] * BUCKETS
    for milliseconds in range(1, 101):
        counts[bucket_of(milliseconds)] += 1
    assert percentile(counts, 50) == 0.05
    assert percentile(counts, 99) == 0.099
    slow = [0] * BUCKETS
    slow[bucket_of(10**6)] = 3
    assert percentile(slow, 99) == BOUNDS_MS[-1] / 1_000
