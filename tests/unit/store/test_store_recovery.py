"""A store that is empty, foreign, older or damaged is named as such and can be put back."""

import itertools
import os
import shutil
import signal
import sqlite3
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from paas.domain.server.allocations import Ranges
from paas.domain.values.errors import PaasError
from paas.domain.values.names import AppName
from paas.store import Store
from paas.store.copies import KEPT, Copies
from paas.store.creation import create, create_for_installation
from paas.store.mark import MarkFile
from paas.store.recovery import DatabaseRecovery
from paas.store.schema import MIGRATIONS
from paas.store.server_keys import ServerKeys

NOW = datetime(2026, 1, 1, tzinfo=UTC)
RANGES = Ranges(uids=(70000, 70999))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A new store's file."""
    create(tmp_path / "state.db")
    return tmp_path / "state.db"


def store(path: Path) -> Store:
    """One that a process opens for itself."""
    return Store(path, RANGES)


def names(path: Path) -> list[str]:
    """The apps that a new process finds."""
    made = store(path)
    try:
        return [app.name for app in made.apps.all()]
    finally:
        made.close()


def add(path: Path, *apps: str) -> None:
    """Add apps, from a process that ends then."""
    made = store(path)
    for app in apps:
        made.apps.add(AppName(app), None, NOW)
    made.close()


def refusal(path: Path) -> str:
    """The reference of what every command says."""
    with pytest.raises(PaasError) as caught:
        store(path).apps.all()
    assert "sudo paas doctor" in str(caught.value.hint)
    return caught.value.reference


def restore(path: Path) -> None:
    """As doctor --restore-store does, without the trash."""
    recovery = DatabaseRecovery(path)
    copy = recovery.newest_whole()
    assert copy is not None
    recovery.put(recovery.new_from(copy))
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def smash(path: Path, at: int = 4096, size: int = 60_000) -> None:
    """Overwrite pages, as a broken disk would."""
    with path.open("r+b") as file:
        file.seek(at)
        file.write(os.urandom(size))


def test_only_an_installation_makes_a_store(tmp_path: Path) -> None:
    """A command finds none and makes none; an installation makes one, once."""
    path = tmp_path / "state.db"
    assert refusal(path) == "store-missing"
    assert list(tmp_path.iterdir()) == []
    keys = ServerKeys(tmp_path / "server.key")
    assert create_for_installation(path, keys.path)
    assert keys.path.stat().st_mode & 0o777 == 0o600
    key = keys.newest()
    assert path.stat().st_mode & 0o777 == 0o600
    assert names(path) == []
    path.unlink()
    assert not create_for_installation(path, keys.path)
    assert not path.exists()
    assert keys.newest() == key


@pytest.mark.parametrize("how", ["truncated", "removed", "another database"])
def test_an_empty_store(path: Path, how: str) -> None:
    """It is no new server: nothing is made in its place, also by a process that had it open."""
    add(path, "shop")
    had_it_open = store(path)
    had_it_open.apps.all()
    if how == "truncated":
        os.truncate(path, 0)
    else:
        path.unlink()
    if how == "another database":
        with closing(sqlite3.connect(path)) as made:
            made.execute("CREATE TABLE stray (x)")
            made.commit()
    for opened in (had_it_open, store(path)):
        with pytest.raises(PaasError) as caught:
            opened.apps.add(AppName("new"), None, NOW)
        assert caught.value.reference == "store-missing"
    assert path.exists() == (how != "removed")


def test_another_server_s_store(path: Path, tmp_path: Path) -> None:
    """However many changes that has seen."""
    (tmp_path / "other").mkdir()
    other = tmp_path / "other" / "state.db"
    create(other)
    add(other, "one", "two", "three")
    shutil.copy(other, path)
    assert refusal(path) == "store-foreign"


def test_an_older_store(path: Path, tmp_path: Path) -> None:
    """The mark shows it; one that is adopted gives no number twice."""
    add(path, "shop")
    shutil.copy(path, tmp_path / "backup.db")
    add(path, "newer")
    shutil.copy(tmp_path / "backup.db", path)
    assert refusal(path) == "store-older"
    DatabaseRecovery(path).adopt()
    assert names(path) == ["shop"]
    assert store(path).apps.add(AppName("third"), None, NOW).id > 1000
    assert DatabaseRecovery(path).fault() is None


def test_a_kill_between_the_change_and_the_mark(path: Path) -> None:
    """The mark stays behind, which is no fault; the next change brings it up."""
    mark = MarkFile(path)
    before = mark.read()
    assert before is not None
    add(path, "shop")
    mark.note(before)
    add(path, "next")
    present = mark.read()
    assert present is not None
    assert present.changes == before.changes + 2
    mark.path.write_bytes(b"nonsense")
    assert names(path) == ["next", "shop"]
    assert mark.read() == present


def test_changes_during_the_check_make_no_older_store(path: Path) -> None:
    """As by a drain that ends while doctor looks."""

    def write() -> None:
        made = store(path)
        for number in range(200):
            made.apps.add(AppName(f"app{number}"), None, NOW)
        made.close()

    writer = threading.Thread(target=write)
    writer.start()
    found = []
    while writer.is_alive():
        found.append(DatabaseRecovery(path).fault())
    writer.join()
    assert {str(fault) for fault in found} == {"None"}


def test_a_change_of_nothing_counts_for_nothing(path: Path) -> None:
    """So that it costs no write."""
    add(path, "shop")
    before = MarkFile(path).read()
    store(path).storage.remove(17)
    store(path).gone.forget("storage", ["17"])
    after = MarkFile(path).read()
    store(path).gone.forget("storage", ["18"])
    assert before != after == MarkFile(path).read()


@pytest.mark.parametrize("at", [0, 4096])
def test_a_damaged_store(path: Path, at: int) -> None:
    """Every command says so once it was seen, also one that would not read the damaged part."""
    add(path, *(f"app-{number}" for number in range(300)))
    smash(path, at)
    fault = DatabaseRecovery(path).fault()
    assert fault is not None
    assert fault.reference == "store-damaged"
    assert refusal(path) == "store-damaged"


def test_a_damaged_store_that_was_mended_by_hand(path: Path, tmp_path: Path) -> None:
    """The next look finds it whole, and all is as it was."""
    add(path, *(f"app-{number}" for number in range(300)))
    shutil.copy(path, tmp_path / "good.db")
    smash(path)
    assert DatabaseRecovery(path).fault() is not None
    shutil.copy(tmp_path / "good.db", path)
    assert DatabaseRecovery(path).fault() is None
    assert len(names(path)) == 300


def test_restoring_the_newest_whole_copy(path: Path) -> None:
    """One that is damaged is passed over; ids that the lost store gave are not given again."""
    add(path, *(f"app-{number}" for number in range(300)))
    copies = Copies(path)
    copies.hourly(NOW)
    add(path, "newer")
    copies.latest()
    identity = MarkFile(path).read()
    smash(copies.directory / "latest.db")
    os.truncate(path, 0)
    recovery = DatabaseRecovery(path)
    assert [copy.fault is None for copy in recovery.copies()] == [True, False]
    restore(path)
    assert len(names(path)) == 300
    assert recovery.fault() is None
    present = MarkFile(path).read()
    assert identity is not None
    assert present is not None
    assert (present.id, present.changes > identity.changes) == (identity.id, True)
    assert store(path).apps.add(AppName("more"), None, NOW).id > 1300


def test_copies_of_another_server_are_not_taken(path: Path, tmp_path: Path) -> None:
    """Only those of this store count."""
    (tmp_path / "other").mkdir()
    create(tmp_path / "other/state.db")
    add(tmp_path / "other/state.db", "theirs")
    Copies(tmp_path / "other/state.db").latest()
    shutil.copytree(tmp_path / "other/copies", tmp_path / "copies")
    assert DatabaseRecovery(path).newest_whole() is None


def test_so_many_copies_are_kept(path: Path) -> None:
    """The oldest go."""
    copies = Copies(path)
    copies.latest()
    for hour in range(KEPT + 3):
        copies.hourly(NOW + timedelta(hours=hour))
    there = sorted(p.name for p in copies.directory.iterdir())
    assert len(there) == KEPT + 1
    assert there[0] == "20260101T030000Z.db"
    assert {p.stat().st_mode & 0o777 for p in copies.directory.iterdir()} == {0o600}
    assert copies.directory.stat().st_mode & 0o777 == 0o700
    assert copies.newest_hourly() == NOW + timedelta(hours=KEPT + 2)


def test_a_copy_of_a_damaged_store_replaces_no_good_one(path: Path) -> None:
    """The latest stays the last that was whole."""
    add(path, *(f"app-{number}" for number in range(300)))
    copies = Copies(path)
    copies.latest()
    smash(path)
    with pytest.raises(PaasError):
        copies.latest()
    (copy,) = copies.listing()
    assert (copy.apps, copy.fault) == (300, None)
    assert [p.name for p in copies.directory.iterdir()] == ["latest.db"]


def old_schema(path: Path) -> None:
    """A store of before there was an identity."""
    with closing(sqlite3.connect(path, isolation_level=None)) as made:
        for statement in ";".join(MIGRATIONS[:8]).split(";"):
            made.execute(statement)
        made.execute("PRAGMA user_version = 8")
        made.execute("INSERT INTO apps (name, uid, created_at) VALUES ('shop', 70000, '2026')")


def test_a_copy_before_a_migration(tmp_path: Path) -> None:
    """An upgrade keeps what was, gives the store its identity, and that copy can be restored."""
    path = tmp_path / "state.db"
    old_schema(path)
    with pytest.raises(ValueError, match="isoformat"):
        store(path).apps.all()
    (copy,) = (tmp_path / "copies").iterdir()
    assert copy.name.endswith("-before-migration-9.db")
    with closing(sqlite3.connect(copy)) as kept:
        assert kept.execute("PRAGMA user_version").fetchone() == (8,)
    mark = MarkFile(path).read()
    assert mark is not None
    path.unlink()
    old_schema(path)
    assert refusal(path) == "store-older"
    restore(path)
    present = MarkFile(path).read()
    assert present is not None
    assert present.id == mark.id


def writing(path: Path) -> int:
    """A process that adds and removes apps for ever, and has begun; its pid."""
    going, told = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            made = Store(path, Ranges(uids=(70_000, 999_999)))  # a removed app keeps its own
            for number in itertools.count():
                app = made.apps.add(AppName(f"a{os.getpid()}-{number}"), None, NOW)
                made.apps.remove(app.id)
                if number == 5:
                    os.write(told, b"going")
        finally:
            os._exit(1)
    os.close(told)
    assert os.read(going, 5) == b"going"
    os.close(going)
    return child


def test_writers_that_are_killed(path: Path) -> None:
    """However they end, the mark is never ahead of the store."""
    for _ in range(10):
        writers = [writing(path) for _ in range(2)]
        for writer in writers:
            os.kill(writer, signal.SIGKILL)
            assert os.waitstatus_to_exitcode(os.waitpid(writer, 0)[1]) == -signal.SIGKILL
        assert DatabaseRecovery(path).fault() is None
    assert len(names(path)) <= 20  # one for each writer that was killed between two changes


def test_a_copy_to_start_from(path: Path, tmp_path: Path) -> None:
    """A database of its own, which says what the latest copy says."""
    add(path, "shop")
    Copies(path).latest()
    path.unlink()
    placed = DatabaseRecovery(path).place_newest(tmp_path / "rescue")
    assert placed is not None
    assert names(placed) == ["shop"]
    assert not path.exists()
