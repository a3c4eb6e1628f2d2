"""The files of the audit trail: months, torn lines, other writers, full and closed disks."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path

import pytest

from paas.adapters.audit.files import AuditFiles
from paas.domain.audit.lines import read_line
from paas.domain.values.errors import PaasError

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the trail is kept; it is made with the first line."""
    return tmp_path / "audit"


def trail_of(folder: Path, *, days: int = 365) -> AuditFiles:
    """The trail, as another process of the server has it."""
    return AuditFiles(folder, folder.parent / "locks/marks", days=days)


def add(folder: Path, at: datetime = NOW, **fields: object) -> int:
    """Add one line."""
    return trail_of(folder).begin(fields, at)


def test_nobody_else_reads_it(folder: Path) -> None:
    """Whatever the umask."""
    before = os.umask(0)
    try:
        add(folder)
    finally:
        os.umask(before)
    (path,) = folder.iterdir()
    assert (path.name, oct(path.stat().st_mode)) == ("2026-11.jsonl", "0o100640")
    assert oct(folder.stat().st_mode) == "0o40700"


def test_a_file_for_each_month(folder: Path) -> None:
    """The chain goes on from one to the next, and a clock that goes back changes no order."""
    for at in (NOW, NOW, NOW + timedelta(days=5), NOW):
        add(folder, at)
    sizes = [len(path.read_bytes().splitlines()) for path in sorted(folder.iterdir())]
    assert sizes == [2, 2]
    assert [read_line(raw).n for raw in trail_of(folder).lines()] == [4, 3, 2, 1]
    assert trail_of(folder).check(all_files=True).lines == 4
    assert trail_of(folder).check(all_files=False).lines == 2


def test_months_expire(folder: Path) -> None:
    """Only whole ones; what is left is a whole chain, and the last file stays."""
    for month in range(1, 13):
        add(folder, datetime(2025, month, 10, tzinfo=UTC))
    now = datetime(2026, 2, 15, tzinfo=UTC)
    trail_of(folder, days=0).expire(now)
    trail_of(folder, days=90).expire(now)
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["2025-11.jsonl", "2025-12.jsonl"]
    assert trail_of(folder).check(all_files=True).lines == 2
    trail_of(folder, days=1).expire(now)
    assert [path.name for path in folder.iterdir()] == ["2025-12.jsonl"]
    assert add(folder, now) == 13


@pytest.mark.parametrize("later", [timedelta(), timedelta(days=5)])
def test_a_torn_last_line_is_cut(folder: Path, later: timedelta) -> None:
    """It was never acknowledged: nobody reads it, and the next line takes its place."""
    add(folder)
    path = folder / "2026-11.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"n":2,"half')
    assert len(list(trail_of(folder).lines())) == 1
    assert trail_of(folder).check(all_files=True).lines == 1
    assert add(folder, NOW + later) == 2
    assert path.read_bytes().startswith(whole)
    assert trail_of(folder).check(all_files=True).lines == 2
    assert b"half" not in path.read_bytes()


def test_an_empty_file_of_a_crash(folder: Path) -> None:
    """The chain goes on from the file before it."""
    add(folder)
    (folder / "2026-12.jsonl").touch()
    assert add(folder, NOW + timedelta(days=5)) == 2
    assert trail_of(folder).check(all_files=True).lines == 2


def test_a_damaged_last_line(folder: Path) -> None:
    """What happens is recorded; the check names the line."""
    add(folder)
    add(folder)
    path = folder / "2026-11.jsonl"
    path.write_bytes(path.read_bytes()[:-9] + b"damaged}\n")
    assert add(folder) == 3
    found = trail_of(folder).check(all_files=False)
    assert (found.lines, found.place) == (1, "2026-11.jsonl, line 2")


def test_others_who_may_write(folder: Path) -> None:
    """Nothing is added to what is not root's alone; the message says how to take it back."""
    add(folder)
    path = folder / "2026-11.jsonl"
    before = path.read_bytes()
    for place, spoil in _spoiled(folder, path):
        spoil()
        with pytest.raises(PaasError) as caught:
            add(folder)
        assert caught.value.reference == "audit-foreign"
        assert f"sudo chown root:root {place}" in str(caught.value.hint)
        os.chown(place, 0, 0)
        place.chmod(0o700 if place == folder else 0o640)
    assert path.read_bytes() == before
    path.rename(folder.parent / "moved")
    path.symlink_to(folder.parent / "moved")
    with pytest.raises(PaasError):
        add(folder)


def _spoiled(folder: Path, path: Path) -> list[tuple[Path, Callable[[], None]]]:
    return [
        (folder, lambda: os.chown(folder, 1000, 0)),
        (folder, lambda: folder.chmod(0o770)),
        (path, lambda: os.chown(path, 1000, 0)),
        (path, lambda: path.chmod(0o666)),
    ]


def test_many_at_once(folder: Path) -> None:
    """Each gets a number and a place of its own."""
    with multiprocessing.get_context("fork").Pool(8) as pool:
        numbers = pool.map(_add_twenty, [folder] * 8)
    assert sorted(chain.from_iterable(numbers)) == [*range(1, 161)]
    assert trail_of(folder).check(all_files=True).lines == 160


def _add_twenty(folder: Path) -> list[int]:
    return [add(folder, number=number) for number in range(20)]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=755", "t", disk], check=True)
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)


def test_a_full_disk_leaves_it_as_it_was(small_disk: Path, tmp_path: Path) -> None:
    """Also where a part of the line fitted, and where the month is new."""
    trail = AuditFiles(small_disk / "audit", tmp_path / "marks", days=365)
    trail.begin({"words": ["x" * 3_000]}, NOW)
    path = small_disk / "audit/2026-11.jsonl"
    before = path.read_bytes()
    with suppress(OSError), (small_disk / "filler").open("ab", buffering=0) as filler:
        while True:
            filler.write(bytes(4096))
    for at in (NOW, NOW + timedelta(days=5)):
        with pytest.raises(PaasError) as caught:
            trail.begin({"words": ["x" * 3_000]}, at)
        assert caught.value.reference == "disk-full"
        assert path.read_bytes() == before
        assert not trail_of(small_disk / "audit").is_running(2)
    (small_disk / "filler").unlink()
    assert trail.begin({}, NOW + timedelta(days=5)) == 2
    assert trail.check(all_files=True).lines == 2


def test_a_disk_that_cannot_be_written(small_disk: Path, tmp_path: Path) -> None:
    """In the disk's words."""
    trail = AuditFiles(small_disk / "audit", tmp_path / "marks", days=365)
    trail.begin({}, NOW)
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with pytest.raises(PaasError) as caught:
        trail.begin({}, NOW)
    assert caught.value.reference == "disk-read-only"


def test_something_in_the_way(folder: Path) -> None:
    """A file where the directory should be."""
    folder.write_text("")
    with pytest.raises(PaasError) as caught:
        add(folder)
    assert caught.value.reference == "audit-not-written"


def test_what_runs(folder: Path) -> None:
    """Until it ends, or its process is killed; a child of that process does not count."""
    trail = trail_of(folder)
    first = trail.begin({}, NOW)
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        trail_of(folder).begin({}, NOW)
        if os.fork() == 0:
            os.close(write)
            signal.pause()
        os.write(write, b"%d" % 2)
        signal.pause()
    os.read(read, 1)
    code = (
        "import sys; from pathlib import Path; from paas.adapters.audit.files import AuditFiles; "
        "trail = AuditFiles(Path(sys.argv[1]), Path(sys.argv[2]), days=1); "
        "print([trail.is_running(n) for n in (1, 2, 3)])"
    )
    argv = [sys.executable, "-c", code, str(folder), str(folder.parent / "locks/marks")]

    def running() -> str:
        return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()

    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    assert running() == "[True, True, False]"
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert running() == "[True, False, False]"
    for child in map(int, children):
        os.kill(child, signal.SIGKILL)
    trail.end({"of": first}, NOW)
    assert running() == "[False, False, False]"


def test_a_line_is_json_that_anybody_reads(folder: Path) -> None:
    """With what its hash is made of."""
    add(folder, command="config:set", words=["GRÖSSE"])
    line = json.loads((folder / "2026-11.jsonl").read_text())
    assert list(line) == ["command", "hash", "n", "prev", "words"]
    assert line["words"] == ["GRÖSSE"]
