"""How metrics look in a terminal."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from paas.domain.metrics.figures import Load, Requests
from paas.domain.metrics.series import span
from paas.domain.releases.releases import Release, Status
from paas.entrypoints.cli.metrics import picture
from paas.entrypoints.cli.sparklines import marks, sparkline
from paas.services.metrics.metrics import AppSeries
from tests.fakes.world import World

NOW = 1_796_000_400


def test_a_sparkline_goes_from_nothing_to_the_highest() -> None:
    """Only nothing has the lowest block, and what was not measured has none."""
    assert sparkline([None, 0, 0.001, 5, 10]) == " ▁▂▅█"
    assert sparkline([0, 0]) == "▁▁"
    assert sparkline([]) == ""
    assert sparkline([5], top=10) == "▅"


def test_marks_have_labels_where_there_is_room() -> None:
    """The last one is not cut off."""
    assert marks([(0, "v1"), (1, "v2"), (9, "v10")], 10) == ("▲▲       ▲", "v1     v10")


@pytest.fixture
def series(tmp_path: Path) -> AppSeries:
    """An app with two processes, after a start with nothing."""
    app = World(tmp_path).app("shop")
    shown = span(NOW, NOW, 60)
    counted = Requests()
    for status, milliseconds in ((200, 12), (200, 1_800), (503, 40)):
        counted.count(status, milliseconds)
    load, other = Load(1_234, 70_000, 0, 2), Load(12_000, 90_000, 2, 2)
    release = Release(app.id, 7, None, {}, Status.SUCCEEDED, "Deploy", "alice", _at(NOW - 25))
    return AppSeries(
        app,
        shown,
        NOW,
        [None, None, Requests(), counted, Requests(), Requests()],
        [None, None, load, other, load, load],
        {"web.1": [load] * 6, "a-very-long-worker.1": [None, None, load, other, load, None]},
        [release],
    )


def _at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def test_the_picture_of_an_app(series: AppSeries) -> None:
    """A line for each figure."""
    lines = [line.rstrip() for line in picture(series)]
    assert lines == [
        "shop: 2026-11-30 00:59 to 2026-11-30 01:00 UTC, 10 s per column",
        "                         now   highest",
        "CPU           ▂█▂▂       12%      120%",
        "Memory        ▆█▆▆  68.4 MiB  87.9 MiB",
        " web.1 CPU  ██████       12%       12%",
        " web.1 mem  ██████  68.4 MiB  68.4 MiB",
        " a-very-lo…   ▂█▂          -      120%",
        " a-very-lo…   ▆█▆          -  87.9 MiB",
        "Requests      ▁█▁▁       0/s     0.3/s",
        "p50            █           -     40 ms",
        "p99            █           -     2.0 s",
        "5xx           ▁█▁▁         0  1 in all",
        "Restarts      ▁█▁▁         0  2 in all",
        "Releases       ▲",
        "               v7",
    ]
