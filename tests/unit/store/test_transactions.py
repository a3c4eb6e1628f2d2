"""Transactions that span calls: all or nothing, one change, and nobody writes in between."""

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from paas.domain.releases.formation import WEB
from paas.domain.routing.hosts import HostName
from paas.domain.routing.routing import Routing
from paas.domain.server.allocations import Ranges
from paas.domain.values.errors import PaasError
from paas.domain.values.names import AppName, UserName
from paas.store import Store
from paas.store.creation import create
from paas.store.mark import MarkFile
from paas.store.recovery import DatabaseRecovery
from tests.fakes.world import ROOT, World

NOW = datetime(2026, 1, 1, tzinfo=UTC)
RANGES = Ranges(uids=(70000, 70999))
KILLED = """
import os, signal, sys
from datetime import datetime, UTC
from pathlib import Path
from paas.domain.server.allocations import Ranges
from paas.store import Store
from paas.domain.values.names import AppName, UserName
store = Store(Path(sys.argv[1]), Ranges())
with store.transaction():
    store.apps.add(AppName("half"), None, datetime.now(UTC))
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A new store's file."""
    create(tmp_path / "state.db")
    return tmp_path / "state.db"


@pytest.fixture
def store(path: Path) -> Store:
    """The store of this process."""
    return Store(path, RANGES)


def add(store: Store, name: str) -> int:
    """Add an app; its id."""
    return store.apps.add(AppName(name), None, NOW).id


def names(path: Path) -> list[str]:
    """The apps that another process finds."""
    store = Store(path, RANGES)
    try:
        return [app.name for app in store.apps.all()]
    finally:
        store.close()


def changes(path: Path) -> int:
    """How many changes the mark has counted."""
    mark = MarkFile(path).read()
    assert mark is not None
    return mark.changes


def is_locked(path: Path) -> bool:
    """Whether another process that wants to write would have to wait."""
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as other:
        try:
            other.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            assert "locked" in str(error)
            return True
        other.execute("ROLLBACK")
        return False


def test_all_of_it_is_one_change(store: Store, path: Path) -> None:
    """Others see nothing before its end and all of it after, and the mark counts one change."""
    before = changes(path)
    with store.transaction():
        app_id = add(store, "shop")
        store.formations.set(app_id, {WEB: 2})
        store.maintenance.set(app_id, True)
        assert store.maintenance.is_on(app_id)
        assert names(path) == []
    assert names(path) == ["shop"]
    assert changes(path) == before + 1
    assert DatabaseRecovery(path).fault() is None


def test_an_exception_undoes_all_of_it(store: Store, path: Path) -> None:
    """Whatever it is; and the store works on."""
    before = changes(path)
    with pytest.raises(KeyboardInterrupt), store.transaction():
        add(store, "shop")
        raise KeyboardInterrupt
    assert names(path) == []
    assert changes(path) == before
    add(store, "next")
    assert names(path) == ["next"]


def test_a_transaction_in_another_is_a_part_of_it(store: Store, path: Path) -> None:
    """It does not commit before the outer one, and is undone with it."""
    with suppress(ZeroDivisionError), store.transaction():
        with store.transaction():
            add(store, "inner")
        assert names(path) == []
        raise ZeroDivisionError
    assert names(path) == []
    with store.transaction(), store.transaction():
        add(store, "inner")
    assert names(path) == ["inner"]


def test_a_call_that_fails_leaves_nothing_of_itself(store: Store, path: Path) -> None:
    """A caller that catches its error and continues commits the other calls, and no half of it."""
    first, second = add(store, "first"), add(store, "second")
    store.routing.set(first, Routing(domains=("taken.test",)))
    store.routing.set(second, Routing(domains=("own.test",)))
    with store.transaction():
        store.maintenance.set(second, True)
        with pytest.raises(PaasError) as caught:
            store.routing.set(second, Routing(domains=("new.test", "taken.test")))
        assert caught.value.reference == "host-taken"
    found = Store(path, RANGES)
    assert found.maintenance.is_on(second)
    assert found.routing.host_owner("own.test") == second
    assert found.routing.host_owner("new.test") is None


def test_nobody_writes_in_between(store: Store, path: Path) -> None:
    """What was read in it is true until its end, also before anything is written."""
    with store.transaction():
        assert store.apps.find("shop") is None
        assert is_locked(path)
    assert not is_locked(path)


def test_a_kill_in_the_middle(path: Path) -> None:
    """Nothing of it is there, and nobody is kept waiting."""
    before = changes(path)
    killed = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert killed.returncode == -9
    assert names(path) == []
    assert changes(path) == before
    assert not is_locked(path)
    assert DatabaseRecovery(path).fault() is None


def test_an_older_store_is_refused(store: Store, path: Path, tmp_path: Path) -> None:
    """Before the block is entered, with the words that every change is refused with."""
    store.close()
    shutil.copy(path, tmp_path / "backup.db")
    add(store, "shop")
    store.close()
    shutil.copy(tmp_path / "backup.db", path)
    store.read_older()
    with pytest.raises(PaasError) as caught, store.transaction():
        pytest.fail("it was entered")
    assert caught.value.reference == "store-older"


def test_one_that_sqlite_has_ended_is_not_continued(store: Store, path: Path) -> None:
    """What follows would be committed alone, without what came before."""
    with pytest.raises(RuntimeError, match="rolled the transaction back"), store.transaction():
        add(store, "first")
        with store.database.writing() as connection, suppress(RuntimeError):
            connection.execute("ROLLBACK")
            add(store, "second")
    assert names(path) == []


# What each service reads before it writes by that, and how it is called.
CHECKS: dict[str, tuple[str, str, Callable[[World], object]]] = {
    "apps:create": ("routing", "host_owner", lambda w: w.apps.create(ROOT, AppName("other"))),
    "apps:rename": (
        "routing",
        "host_owner",
        lambda w: w.apps.rename(ROOT, "shop", AppName("other"), w.progress),
    ),
    "buildpacks:add": (
        "buildpacks",
        "of_app",
        lambda w: w.buildpacks.add(ROOT, "shop", "python", None),
    ),
    "domains:add": (
        "apps",
        "find",
        lambda w: w.domains.add(ROOT, "shop", [HostName("other.example.com")], w.progress),
    ),
    "git push": ("allocations", "taken", lambda w: w.push(commit="b" * 40)),
    "keys:add": ("keys", "find", lambda w: w.keys.add(ROOT, UserName("bob"), "key", None)),
}


@pytest.mark.parametrize("change", CHECKS)
def test_services_check_and_write_in_one(
    world: World, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """Nothing of what was checked can be otherwise when it is written."""
    world.app()
    world.push()
    noun, name, call = CHECKS[change]
    table = getattr(world.store, noun)
    method = getattr(table, name)
    locked: list[bool] = []

    def looked(*words: object) -> object:
        locked.append(is_locked(world.folder / "state.db"))
        return method(*words)

    monkeypatch.setattr(table, name, looked)
    call(world)
    assert any(locked)
