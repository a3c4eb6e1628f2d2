"""The disk usage of apps, as du counts it."""

import os
from pathlib import Path

import pytest

from paas.adapters.server.disk_meter import DiskMeter
from paas.adapters.system import directories
from paas.domain.server.disk_usage import PARTS, DiskUsage
from paas.settings import Settings

MIB = 1024**2


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """The data of a server, empty."""
    return tmp_path / "state"


@pytest.fixture
def meter(state: Path) -> DiskMeter:
    """The meter of that server."""
    return DiskMeter(Settings(state=state, run=state.parent / "run").paths)


def write(path: Path, size_bytes: int = MIB) -> Path:
    """A file of that size."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(os.urandom(size_bytes))
    return path


def mib(usage: DiskUsage) -> dict[str, int]:
    """Each part in whole MiB: directories take some KiB of their own."""
    parts = (*PARTS, "total")
    return {part: getattr(usage, part) // MIB for part in parts if getattr(usage, part) >= MIB}


def test_each_part_of_each_app(state: Path, meter: DiskMeter) -> None:
    """By the app's whole id: 1 is also the beginning of 12."""
    write(state / "storage/1/5/file")
    write(state / "git/1.git/objects/pack/x.pack", 2 * MIB)
    write(state / "slugs/1-20260101/x", 3 * MIB)
    write(state / "builds/1-20260102/x", 3 * MIB)
    write(state / "cache/1/x", 4 * MIB)
    write(state / "logs/1/app.log")
    write(state / "logs/builds/1-20260101.log")
    write(state / "logs/releases/1-v3.log")
    write(state / "slugs/12-20260101/x", 5 * MIB)
    write(state / "logs/builds/12-20260101.log")
    write(state / "datastores/7/data/base/1", 2 * MIB)
    write(state / "datastores/7/log/postgresql-Mon.log")
    write(state / "datastores/70/data/base/1", 2 * MIB)
    write(state / "datastores/8/data/base/1", 9 * MIB)
    found = meter.usage([1, 12, 3], datastores={7: 1, 70: 12, 8: 99})
    expected = {"storage": 1, "repository": 2, "slugs": 6, "cache": 4, "logs": 3}
    assert mib(found[1]) == {**expected, "datastores": 3, "total": 19}
    assert mib(found[12]) == {"slugs": 5, "logs": 1, "datastores": 2, "total": 8}
    assert found[3] == DiskUsage()
    assert meter.usage([], datastores={}) == {}


def test_a_file_with_several_names_counts_once(state: Path, meter: DiskMeter) -> None:
    """As uv links packages from its cache into a slug's environment."""
    cached = write(state / "cache/1/wheel", 4 * MIB)
    slug = state / "slugs/1-20260101"
    slug.mkdir(parents=True)
    (slug / "module").hardlink_to(cached)
    assert mib(meter.usage([1], datastores={})[1]) == {"slugs": 4, "total": 4}


def test_known_slugs_are_not_measured_again(state: Path, meter: DiskMeter) -> None:
    """They do not change; a build in progress does, and has the id of the slug that it becomes."""
    write(state / "slugs/1-20260101/x", 3 * MIB)
    write(state / "slugs/1-20260102/x", 3 * MIB)
    write(state / "builds/1-20260103/x", 2 * MIB)
    known = {"1-20260101": 10 * MIB, "1-20260103": 50 * MIB, "2-20260101": 50 * MIB}
    assert mib(meter.usage([1], known, datastores={})[1]) == {"slugs": 15, "total": 15}


def test_the_last_total_is_known(state: Path, meter: DiskMeter) -> None:
    """Until it is forgotten."""
    assert meter.last_total(1) is None
    write(state / "cache/1/x")
    total = meter.usage([1], datastores={})[1].total
    assert total >= MIB
    write(state / "cache/1/y")
    assert meter.last_total(1) == total
    meter.forget(1)
    meter.forget(1)
    assert meter.last_total(1) is None


def test_links_lead_nowhere_and_holes_are_empty(state: Path, meter: DiskMeter) -> None:
    """An app cannot make another's files, or files that do not exist, count as its own."""
    outside = write(state / "storage/2/1/file", 4 * MIB)
    folder = state / "storage/1/1"
    folder.mkdir(parents=True)
    (folder / "link").symlink_to(outside)
    (folder / "above").symlink_to(outside.parent)
    (folder / "bad\nname\t5").symlink_to("/nowhere")
    with (folder / "sparse").open("wb") as file:
        file.truncate(10**12)
    write(folder / "file")
    assert mib(meter.usage([1], datastores={})[1]) == {"storage": 1, "total": 1}


def test_a_link_in_place_of_an_apps_directory(state: Path, meter: DiskMeter) -> None:
    """It counts only as a link."""
    target = write(state / "elsewhere/file", 4 * MIB).parent
    (state / "storage").mkdir()
    (state / "storage/1").symlink_to(target)
    assert mib(meter.usage([1], datastores={})[1]) == {}


def test_directories_may_nest_without_end(state: Path, meter: DiskMeter) -> None:
    """Deeper than the longest path."""
    top = state / "storage/1/1"
    top.mkdir(parents=True)
    fd = os.open(top, os.O_DIRECTORY)
    for _ in range(1_500):
        os.mkdir("deeper", dir_fd=fd)
        below = os.open("deeper", os.O_DIRECTORY, dir_fd=fd)
        os.close(fd)
        fd = below
    file = os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=fd)
    os.write(file, os.urandom(MIB))
    os.close(file)
    os.close(fd)
    try:
        assert meter.usage([1], datastores={})[1].storage >= MIB
    finally:
        directories.remove(top)


def test_what_nobody_may_read_counts(state: Path, meter: DiskMeter) -> None:
    """The platform is root; an error about one directory does not lose the others."""
    write(state / "storage/1/1/file").parent.chmod(0)
    write(state / "cache/1/file")
    try:
        assert meter.usage([1], datastores={})[1].cache >= MIB
    finally:
        (state / "storage/1/1").chmod(0o700)


def test_the_space_of_the_disk(state: Path, meter: DiskMeter) -> None:
    """Free and in total, and the trash."""
    state.mkdir()
    free, size = meter.space()
    assert 0 < free < size
    assert meter.trash_bytes() == 0
    write(state / "lost/1/file")
    assert meter.trash_bytes() >= MIB
