"""The reserve on a real small file system: held, given up where that is full, and held again."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from paas.adapters.server.disk_reserve import INODES, DiskReserve

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
MIB = 1024**2
MakeDisk = Callable[[str], Path]


def free_mib(disk: Path) -> int:
    """What is left on it."""
    found = os.statvfs(disk)
    return found.f_bfree * found.f_frsize // MIB


def fill(disk: Path) -> None:
    """Write to it until nothing is left."""
    with pytest.raises(OSError) as full, (disk / "filler").open("ab") as file:
        while True:
            file.write(b"x" * MIB)
            file.flush()
    assert full.value.errno == errno.ENOSPC


def test_it_is_there_when_the_disk_is_full(new_disk: MakeDisk) -> None:
    """4 MiB are held from the beginning, can be used on a full disk, and are held again."""
    disk = new_disk("")
    reserve = DiskReserve(disk / "reserve", 4)
    reserve.keep()
    assert free_mib(disk) <= 12
    fill(disk)
    with reserve.released():
        (disk / "filler").write_bytes(b"x" * 3 * MIB)  # what was in it is free as well
        (disk / "needed").write_bytes(b"x" * 3 * MIB)
    assert 9 <= free_mib(disk) + 4 <= 10


def test_what_is_left_of_it_is_held_again_at_once(new_disk: MakeDisk) -> None:
    """Where nothing was freed others cannot fill what was not needed."""
    disk = new_disk("")
    reserve = DiskReserve(disk / "reserve", 4)
    reserve.keep()
    fill(disk)
    with reserve.released():
        (disk / "needed").write_bytes(b"x" * MIB)
    assert free_mib(disk) == 0
    with reserve.released():
        assert free_mib(disk) == 3
    (disk / "filler").unlink()
    reserve.keep()
    assert (disk / "reserve/space").stat().st_size == 4 * MIB


def test_it_stays_where_there_is_room(new_disk: MakeDisk) -> None:
    """Nobody gives it up for nothing."""
    disk = new_disk("")
    reserve = DiskReserve(disk / "reserve", 4)
    reserve.keep()
    with reserve.released():
        assert (disk / "reserve/space").exists()


def test_names_of_files_are_held_as_well(new_disk: MakeDisk) -> None:
    """Where all inodes are used some more files can be made."""
    disk = new_disk(",nr_inodes=200")
    reserve = DiskReserve(disk / "reserve", 1)
    reserve.keep()
    with pytest.raises(OSError, match="No space"):
        for number in range(200):
            (disk / f"file{number}").touch()
    with reserve.released():
        for number in range(INODES):
            (disk / f"more{number}").touch()


def test_a_small_disk_is_left_to_its_data(new_disk: MakeDisk) -> None:
    """Nothing is held where half of what is free would be; nor where the setting is 0."""
    disk = new_disk("")
    DiskReserve(disk / "reserve", 12).keep()
    assert list(disk.iterdir()) == []
    DiskReserve(disk / "reserve", 2).keep()
    DiskReserve(disk / "reserve", 0).keep()
    assert list((disk / "reserve").iterdir()) == []
