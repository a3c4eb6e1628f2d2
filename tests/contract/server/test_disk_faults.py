"""The messages about a real disk that is full, takes no more files, or is read-only."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from paas.adapters.builds.slugs import FileSlugs
from paas.adapters.git.tree_files import TreeFiles
from paas.adapters.system.disk_faults import no_space
from paas.adapters.system.files import write_atomic
from paas.domain.people.users import Role
from paas.domain.server.allocations import Ranges
from paas.domain.values.errors import PaasError
from paas.domain.values.names import UserName
from paas.settings import Settings
from paas.store import Store
from paas.store.creation import create

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


class Disk:
    """A small file system, with a database on it that is open."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()
        self._mount("size=24m,nr_inodes=400", "-t", "tmpfs", "paas-test")
        for name in ("builds", "tree"):
            (path / name).mkdir()
        create(path / "state.db")
        self.store = Store(path / "state.db", Ranges((70000, 70009)))
        self.store.users.add(UserName("alice"), Role.MEMBER, datetime.now(UTC))

    def fill(self) -> None:
        """Use every byte."""
        with suppress(OSError), (self.path / "filler").open("ab", buffering=0) as filler:
            while True:
                filler.write(bytes(4096))

    def use_all_inodes(self) -> None:
        """Use every name of a file; there is space."""
        with suppress(OSError):
            for number in range(400):
                (self.path / f"file{number}").touch()

    def make_read_only(self) -> None:
        """As the kernel does after errors."""
        self.store.close()  # no file may be open to be written
        self._mount("remount,ro")

    def _mount(self, options: str, *words: str) -> None:
        subprocess.run(["mount", "-o", options, *words, str(self.path)], check=True)

    def close(self) -> None:
        """Let it go."""
        self.store.close()
        subprocess.run(["umount", "--lazy", str(self.path)], check=False)

    def write_a_file(self) -> None:
        """As all files of the platform's own are."""
        write_atomic(self.path / "file", "text")

    def write_a_tree(self) -> None:
        """As a build begins."""
        root = os.open(self.path / "tree", os.O_RDONLY | os.O_DIRECTORY)
        try:
            with TreeFiles(root, 0) as tree:
                tree.folder(b"folder")
                tree.add(b"folder/a", 0o644, bytes(4096))
        finally:
            os.close(root)

    def write_a_row(self) -> None:
        """As any change."""
        for number in range(3_000):  # until what the database has of the disk is used
            name = UserName(f"user-{number}")
            self.store.users.add(name, Role.MEMBER, datetime.now(UTC))

    def begin_a_push(self) -> None:
        """What is looked at before git sends anything."""
        FileSlugs(Settings(state=self.path).paths, min_free_mib=0).check_writable()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A small disk."""
    made = Disk(tmp_path / "disk")
    yield made
    made.close()


WRITERS: tuple[Callable[[Disk], None], ...] = (
    Disk.write_a_file,
    Disk.write_a_tree,
    Disk.write_a_row,
    Disk.begin_a_push,
)


@pytest.mark.parametrize("write", WRITERS)
def test_a_full_disk(disk: Disk, write: Callable[[Disk], None]) -> None:
    """Its remedy is df -h."""
    disk.fill()
    with pytest.raises(PaasError) as refused:
        write(disk)
    assert refused.value.message == "The server's disk is full."
    assert "df -h" in (refused.value.hint or "")


@pytest.mark.parametrize("write", [w for w in WRITERS if w is not Disk.write_a_row])
def test_a_disk_without_inodes(disk: Disk, write: Callable[[Disk], None]) -> None:
    """There is space, so df -h would tell nobody why."""
    disk.use_all_inodes()
    with pytest.raises(PaasError) as refused:
        write(disk)
    assert "all of its inodes are in use" in refused.value.message
    assert "df -i" in (refused.value.hint or "")


@pytest.mark.parametrize("write", WRITERS)
def test_a_read_only_disk(disk: Disk, write: Callable[[Disk], None]) -> None:
    """It is named, whatever wanted to write."""
    disk.make_read_only()
    with pytest.raises(PaasError) as refused:
        write(disk)
    assert refused.value.reference == "disk-read-only"


def test_a_start_on_a_read_only_disk(disk: Disk, tmp_path: Path) -> None:
    """It says so in a line, with the next command; no traceback."""
    disk.make_read_only()
    (tmp_path / "etc").mkdir()
    places = {name: str(tmp_path / name) for name in ("etc", "run", "opt")}
    settings = {**places, "state": str(disk.path), "account": "root", "embedded": True}
    (tmp_path / "etc/server.yml").write_text(yaml.safe_dump(settings))
    for action in ("run", "start"):
        done = subprocess.run(
            [sys.executable, "-m", "paas.entrypoints.boot", "--etc", places["etc"], action],
            capture_output=True,
            text=True,
            check=False,
            timeout=250,
        )
        assert done.returncode == 1
        assert "The server's disk cannot be written" in done.stderr
        assert "mount; dmesg" in done.stderr
        assert "Traceback" not in done.stderr


def test_a_disk_with_room(disk: Disk) -> None:
    """Nothing is said of it, nor of a path that is not there yet."""
    assert no_space(disk.path / "not/yet") is None
    for write in (Disk.write_a_file, Disk.write_a_tree, Disk.begin_a_push):
        write(disk)


def test_an_ext4_that_root_has_filled(new_ext4: Callable[[int], Path]) -> None:
    """It counts as free what it keeps for itself; root cannot write there either."""
    disk = new_ext4(512)
    chunk = 64 * 1024**2
    fd = os.open(disk / "filler", os.O_CREAT | os.O_WRONLY, 0o600)
    try:
        end = 0
        while chunk >= 65_536:
            try:
                os.posix_fallocate(fd, end, chunk)
                end += chunk
            except OSError:
                chunk //= 2
    finally:
        os.close(fd)
    assert os.statvfs(disk).f_bfree * os.statvfs(disk).f_frsize > 4 * 1024**2
    found = no_space(disk, for_root=True)
    assert found is not None
    assert found.reference == "disk-full"
