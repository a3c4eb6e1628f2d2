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


@pytest.mark.parametrize("kind", ["tmpfs", "ext4"])
def test_many_small_uses_do_not_consume_it(request: pytest.FixtureRequest, kind: str) -> None:
    """Nor do they leave anything to those who filled the disk."""
    new_disk: MakeDisk = request.getfixturevalue("new_disk")
    disk: Path = new_disk("") if kind == "tmpfs" else request.getfixturevalue("ext4")
    reserve = DiskReserve(disk / "reserve", 4)
    reserve.keep()
    fill(disk)
    for number in range(50):
        with reserve.released() as released, (disk / "needed").open("ab") as file:
            assert released
            file.write(b"%100d" % number)
    assert (disk / "reserve/space").stat().st_size > 3 * MIB
    assert free_mib(disk) <= 1  # ext4 keeps some to itself


def test_the_last_of_several_users_takes_it_again(new_disk: MakeDisk) -> None:
    """One that ends takes no space from another that began meanwhile."""
    disk = new_disk("")
    reserves = [DiskReserve(disk / "reserve", 4) for _ in range(2)]
    reserves[0].keep()
    fill(disk)
    first, second = (reserve.released() for reserve in reserves)
    assert first.__enter__()
    assert second.__enter__()
    first.__exit__(None, None, None)
    (disk / "needed").write_bytes(b"x" * MIB)
    second.__exit__(None, None, None)
    assert free_mib(disk) == 0
    assert (disk / "reserve/space").stat().st_size > 2 * MIB


def test_a_user_that_was_killed_leaves_nothing_to_take(new_disk: MakeDisk) -> None:
    """What it had released is no longer there: the next one takes nothing from the apps."""
    disk = new_disk("")
    reserve = DiskReserve(disk / "reserve", 4)
    reserve.keep()
    fill(disk)
    child = os.fork()
    if child == 0:
        with reserve.released():
            os._exit(0)
    os.waitpid(child, 0)
    assert free_mib(disk) == 4
    with reserve.released() as released:
        assert released is False
    assert free_mib(disk) == 4


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


@pytest.fixture
def ext4(new_ext4: Callable[[int], Path]) -> Path:
    """64 MiB, with a directory for everybody."""
    disk = new_ext4(64)
    (disk / "shared").mkdir()
    (disk / "shared").chmod(0o777)
    return disk


def _write_as(uid: int, path: Path, size_mib: int) -> bool:
    """Whether a process of that uid can add that much to a file; what fits is in it anyway."""
    child = os.fork()
    if child == 0:
        try:
            os.chdir(path.parent)  # the directories above are root's
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
            with Path(path.name).open("ab", buffering=0) as file:
                for _ in range(size_mib * 16):
                    written = file.write(b"x" * (MIB // 16))
                    if written != MIB // 16:
                        os._exit(2)
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


APP = 65534


def test_space_that_only_root_has_is_not_an_app_s(ext4: Path) -> None:
    """A disk is full when it is for apps, though root could write on; it is released for them."""
    reserve = DiskReserve(ext4 / "reserve", 4)
    reserve.keep()
    filler, needed = ext4 / "shared/filler", ext4 / "shared/needed"
    assert not _write_as(APP, filler, 64)
    assert os.statvfs(ext4).f_bavail < os.statvfs(ext4).f_bfree // 100
    assert free_mib(ext4) >= 10
    assert not _write_as(APP, needed, 2)
    with reserve.released():
        assert _write_as(APP, needed, 2)
    assert MIB < (ext4 / "reserve/space").stat().st_size <= 2 * MIB
    assert not _write_as(APP, needed, 1)


def test_root_has_it_where_root_has_filled_its_own_space(ext4: Path) -> None:
    """It is held again afterwards, though nothing is free for apps."""
    reserve = DiskReserve(ext4 / "reserve", 4)
    reserve.keep()
    fill(ext4)
    with reserve.released():
        (ext4 / "needed").write_bytes(b"x" * MIB)
    assert 2 * MIB < (ext4 / "reserve/space").stat().st_size <= 3 * MIB


def test_none_is_held_where_apps_would_lose_half_of_their_space(ext4: Path) -> None:
    """Root's own space does not count as free."""
    assert _write_as(APP, ext4 / "shared/filler", 30)
    left = os.statvfs(ext4).f_bavail * os.statvfs(ext4).f_frsize // MIB
    assert 2 < left < 14
    DiskReserve(ext4 / "reserve", left).keep()
    assert not (ext4 / "reserve").exists()


def test_what_was_not_held_is_not_taken_on_a_scarce_disk(new_disk: MakeDisk) -> None:
    """A command that frees space must not take the rest from everybody."""
    disk = new_disk("")
    reserve = DiskReserve(disk / "reserve", 12)
    with (disk / "filler").open("wb") as file:
        file.write(b"x" * 8 * MIB)
    with reserve.released():
        pass
    assert free_mib(disk) >= 7
