"""The files of metrics: what is counted is read again, whatever happens in between."""

import os
from pathlib import Path

import pytest

from paas.adapters.metrics.files import SIZE_BYTES, MetricsDirectory
from paas.domain.metrics.figures import PROCESSES_MAX, Load, Requests
from paas.domain.metrics.resolutions import RESOLUTIONS

FINE, MINUTES, TENS = RESOLUTIONS
# A time that begins a slot of each resolution.
NOW = 1_796_000_400


def requests(*statuses: int, milliseconds: int = 12) -> Requests:
    """So many requests."""
    found = Requests()
    for status in statuses:
        found.count(status, milliseconds)
    return found


@pytest.fixture
def files(tmp_path: Path) -> MetricsDirectory:
    """No app has metrics yet."""
    return MetricsDirectory(tmp_path / "metrics")


def count(
    files: MetricsDirectory,
    until: int,
    found: dict[int, Requests] | None = None,
    loads: dict[str, Load] | None = None,
    total: Load | None = None,
) -> None:
    """One turn of the collector, for the app 1."""
    with files.writing(1) as file:
        file.count(until, (5, 100), found or {}, loads or {}, total or Load())


def test_nothing_is_kept_of_an_app_that_was_never_counted(files: MetricsDirectory) -> None:
    """And to read it makes no file."""
    with files.reading(1) as file:
        assert file is None
    assert files.apps() == set()


def test_counts_are_kept_at_each_resolution(files: MetricsDirectory) -> None:
    """Two slots of ten seconds are one of a minute and one of ten minutes."""
    count(files, NOW + 10, {NOW: requests(200, 404)}, {"web.1": Load(50, 100, 0, 1)}, Load(50, 100))
    count(files, NOW + 20, {NOW + 10: requests(503)}, {"web.1": Load(70, 80, 1, 1)}, Load(70, 80))
    with files.reading(1) as file:
        assert file is not None
        fine = file.requests(FINE, NOW, NOW + 60)
        assert {at: one.classes for at, one in fine.items()} == {
            NOW: [1, 0, 1, 0],
            NOW + 10: [0, 0, 0, 1],
        }
        for coarse in (MINUTES, TENS):
            assert file.requests(coarse, NOW, NOW + 600)[NOW].classes == [1, 0, 1, 1]
            assert file.loads(coarse, NOW, NOW + 600, "web.1") == {NOW: Load(120, 100, 1, 1)}
            assert file.loads(coarse, NOW, NOW + 600) == {NOW: Load(120, 100)}
        totals = file.totals()
    assert (totals.until, totals.requests.classes) == (NOW + 20, [1, 0, 1, 1])
    assert (totals.processes["web.1"].cpu_ms, totals.processes["web.1"].restarts) == (120, 1)


def test_a_file_never_grows_and_old_slots_are_replaced(
    files: MetricsDirectory, tmp_path: Path
) -> None:
    """After two rounds of the finest ring, only the last two hours are left of it."""
    for number in range(0, 2 * FINE.slots, 8):
        at = NOW + number * FINE.step_s
        count(files, at + FINE.step_s, {at: requests(200)}, {"web.1": Load(1, 1)}, Load(1, 1))
    path = tmp_path / "metrics" / "1"
    assert path.stat().st_size == SIZE_BYTES
    assert path.stat().st_blocks * 512 < SIZE_BYTES / 4
    with files.reading(1) as file:
        assert file is not None
        assert min(file.requests(FINE, 0, 2**32)) >= NOW + FINE.slots * FINE.step_s
        assert len(file.requests(TENS, 0, 2**32)) == 2 * FINE.slots * FINE.step_s // TENS.step_s


def test_what_is_read_late_does_not_replace_what_is_newer(files: MetricsDirectory) -> None:
    """Requests of three hours ago have no slot of ten seconds any longer, but one of a minute."""
    late = NOW - 3 * 3_600
    count(files, NOW + 10, {NOW - 3_600: requests(200)})
    count(files, NOW + 20, {late: requests(500), late - 7_200 * 12: requests(500)})
    with files.reading(1) as file:
        assert file is not None
        assert list(file.requests(FINE, 0, 2**32)) == [NOW - 3_600]
        assert late in file.requests(MINUTES, 0, 2**32)


@pytest.mark.parametrize("torn", [0, 4_096])
def test_a_torn_head_costs_one_turn_at_most(
    files: MetricsDirectory, tmp_path: Path, torn: int
) -> None:
    """The other copy of it is whole."""
    for turn in range(1, 4):
        count(files, NOW + 10 * turn, {NOW: requests(200)})
    with (tmp_path / "metrics" / "1").open("r+b") as file:
        file.seek(torn + 100)
        file.write(b"\xff" * 50)
    with files.reading(1) as left:
        assert left is not None
        assert left.totals().requests.classes[0] in (2, 3)


def test_a_torn_slot_is_none(files: MetricsDirectory, tmp_path: Path) -> None:
    """Its checksum says so; the next count of that time begins anew."""
    count(files, NOW + 10, {NOW: requests(200)}, {"web.1": Load(9, 9)}, Load(9, 9))
    path = tmp_path / "metrics" / "1"
    data = bytearray(path.read_bytes())
    for place in range(8_192, len(data), 4):  # all that is behind the stamps
        if data[place : place + 4] == (1).to_bytes(4, "little"):
            data[place] = 77
    path.write_bytes(data)
    with files.reading(1) as left:
        assert left is not None
        assert left.requests(FINE, 0, 2**32) == {}


def test_a_file_of_anything_else_is_begun_anew(files: MetricsDirectory, tmp_path: Path) -> None:
    """As one that was cut off, or filled with noise."""
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics" / "1").write_bytes(os.urandom(9_000))
    count(files, NOW + 10, {NOW: requests(200)})
    with files.reading(1) as left:
        assert left is not None
        assert left.totals().requests.classes == [1, 0, 0, 0]


def test_processes_beyond_the_most_have_no_figures_of_their_own(files: MetricsDirectory) -> None:
    """A place is free again once nothing was seen of its process for two hours."""
    many = {f"web.{number}": Load(1, 1) for number in range(1, PROCESSES_MAX + 5)}
    count(files, NOW, {}, many, Load(9, 9))
    count(files, NOW + 10, {}, {"worker.1": Load(3, 3)}, Load(3, 3))
    with files.reading(1) as file:
        assert file is not None
        assert set(file.totals().processes) == {f"web.{n}" for n in range(1, PROCESSES_MAX + 1)}
        assert file.loads(FINE, 0, 2**32, "worker.1") == {}
    count(files, NOW + 7_300, {}, {"worker.1": Load(3, 3)}, Load(3, 3))
    with files.reading(1) as file:
        assert file is not None
        assert "worker.1" in file.totals().processes
        assert file.loads(TENS, 0, 2**32, "worker.1") == {NOW + 7_200: Load(3, 3)}


def test_the_metrics_of_an_app_can_be_forgotten(files: MetricsDirectory) -> None:
    """Also if there are none."""
    count(files, NOW)
    files.remove(1)
    files.remove(1)
    assert files.apps() == set()
