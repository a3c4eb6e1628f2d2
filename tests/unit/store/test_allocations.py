"""Uids and ports: given out by one table, in one transaction with what uses them."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from paas.domain.apps.apps import App
from paas.domain.releases.releases import Instance
from paas.domain.server.allocations import (
    DRAIN_SENDER,
    PROXY_FILES,
    WEB,
    Allocation,
    Holder,
    Kind,
    Ranges,
    app_holder,
    instance_holder,
)
from paas.domain.values.errors import PaasError
from paas.domain.values.names import AppName, ProcessType
from paas.store import Store
from paas.store.creation import create
from paas.store.mark import MarkFile
from paas.store.recovery import DatabaseRecovery
from tests.unit.store import test_store_versions as version_12

NOW = datetime(2026, 1, 1, tzinfo=UTC)
RANGES = Ranges(uids=(70000, 70005), ports=(20000, 20009))
KILLED = """
import os, signal, sys
from datetime import datetime, UTC
from pathlib import Path
from paas.domain.server.allocations import Kind, Ranges
from paas.domain.values.names import AppName
from paas.store import Store
store = Store(Path(sys.argv[1]), Ranges(uids=(70000, 70005)))
with store.transaction():
    app = store.apps.add(AppName("half"), None, datetime.now(UTC))
    assert app.uid in store.allocations.taken(Kind.UID)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A new store's file."""
    create(tmp_path / "state.db")
    return tmp_path / "state.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    """A store with four uids for apps, and nine ports."""
    made = Store(path, RANGES)
    yield made
    made.close()


def add(store: Store, name: str) -> App:
    """A new app."""
    return store.apps.add(AppName(name), None, NOW)


def web(app: App, port: int, rollout_id: int = 1) -> Instance:
    """An instance of it."""
    return Instance(app.id, 1, rollout_id, ProcessType("web"), 1, port)


def held(store: Store) -> dict[tuple[Kind, int], str]:
    """Who holds what."""
    return {(one.kind, one.number): str(one.holder) for one in store.allocations.all()}


def uids(store: Store, names: Sequence[str]) -> list[int]:
    """The uids of new apps of these names."""
    return [add(store, name).uid for name in names]


def test_each_number_has_its_holder(store: Store) -> None:
    """The app's uid, the instance's port, and what the server itself needs."""
    app = add(store, "shop")
    store.instances.add([web(app, 20003)])
    store.allocations.settle()
    assert held(store) == {
        (Kind.UID, 70000): "app 1",
        (Kind.UID, 70004): "web",
        (Kind.UID, 70005): "drain sender",
        (Kind.PORT, 20003): "instance 1-v1-1-web.1",
        (Kind.PORT, 20009): "proxy files",
    }
    assert store.allocations.clashes() == []


def test_the_server_s_own_numbers_are_given_to_nobody(store: Store) -> None:
    """Also in a database that has no record of them; and uids are not without end."""
    assert held(store) == {}
    assert store.allocations.taken(Kind.PORT) == {20009}
    assert uids(store, "abcd") == [70000, 70001, 70002, 70003]
    with pytest.raises(PaasError, match="All uids from 70000 to 70005 are taken"):
        add(store, "e")


def test_a_freed_uid_is_reused_last(store: Store) -> None:
    """Also by an app that comes right after the removed one; the oldest is reused first."""
    assert uids(store, "ab") == [70000, 70001]
    for id in (2, 1):
        store.apps.remove(id)
        store.apps.forget_destroyed(id)
    assert uids(store, "cdef") == [70002, 70003, 70000, 70001]


def test_a_destroyed_app_keeps_its_numbers_until_nothing_is_left_of_it(store: Store) -> None:
    """Its files have the uid, and its instances may not have ended."""
    app = add(store, "shop")
    store.instances.add([web(app, 20003)])
    store.apps.remove(app.id)
    store.allocations.settle()
    assert app.uid in store.allocations.taken(Kind.UID)
    assert 20003 in store.allocations.taken(Kind.PORT)
    assert uids(store, "abc") == [70001, 70002, 70003]
    with pytest.raises(PaasError, match="All uids"):
        add(store, "d")
    store.apps.forget_destroyed(app.id)
    assert store.allocations.taken(Kind.PORT) == {20009}
    assert uids(store, "d") == [70000]


def test_a_port_is_free_when_its_instance_is_removed(store: Store) -> None:
    """In the same transaction."""
    app = add(store, "shop")
    store.instances.add([web(app, 20003)])
    store.instances.remove([web(app, 20003)])
    assert store.allocations.taken(Kind.PORT) == {20009}


def test_a_port_that_another_app_has(store: Store) -> None:
    """The message names both apps and the command; nothing of the call is left."""
    first, second = add(store, "shop"), add(store, "blog")
    store.instances.add([web(first, 20003)])
    before = held(store)
    with pytest.raises(PaasError) as caught:
        store.instances.add([web(second, 20004, 2), web(second, 20003, 3)])
    assert caught.value.reference == "port-taken"
    assert caught.value.message == (
        "web.1 of blog cannot be recorded with port 20003: in the database that is the port of an "
        "instance of shop."
    )
    assert "paas ps:restart -a shop" in str(caught.value.hint)
    assert held(store) == before
    assert store.instances.of_app(second.id) == []


def test_a_kill_before_the_app_is_recorded(path: Path) -> None:
    """Its uid is not taken either, and is the next one."""
    killed = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert killed.returncode == -9
    store = Store(path, RANGES)
    assert held(store) == {}
    assert uids(store, "a") == [70000]


def test_other_holders_keep_theirs(store: Store) -> None:
    """What is of no app, instance or datastore is nobody's to settle."""
    with store.transaction():
        uid = store.allocations.give_uid(Holder("build", "7"))
        store.allocations.record(Allocation(Kind.PORT, 20005, Holder("build", "7")))
    store.allocations.settle()
    assert store.allocations.holder(Kind.UID, uid) == Holder("build", "7")
    assert {20005, 20009} == store.allocations.taken(Kind.PORT)
    store.allocations.free(Holder("build", "7"))
    assert {20009} == store.allocations.taken(Kind.PORT)


def test_new_ranges(store: Store, path: Path) -> None:
    """The server's own numbers move with them; one that an app has is reported, and stays its."""
    add(store, "shop")
    store.allocations.settle()
    store.close()
    moved = Store(path, Ranges(uids=(69990, 70000), ports=(20000, 20019)))
    moved.allocations.settle()
    assert held(moved) == {
        (Kind.UID, 69999): "web",
        (Kind.UID, 70000): "app 1",
        (Kind.PORT, 20019): "proxy files",
    }
    assert moved.allocations.clashes() == [Allocation(Kind.UID, 70000, app_holder(1))]
    assert 70000 not in uids(moved, "ab")


def test_what_a_former_version_left(store: Store, path: Path) -> None:
    """One of its commands may end after the migration; the records are made to match."""
    first, second = add(store, "shop"), add(store, "blog")
    store.instances.add([web(first, 20003)])
    with closing(sqlite3.connect(path, isolation_level=None)) as former:
        former.execute("DELETE FROM instances")
        former.execute(
            "INSERT INTO instances (app_id, version, generation, kind, number, port) "
            "VALUES (2, 1, 9, 'web', 1, 20004)"
        )
        former.execute("DELETE FROM apps WHERE id = 1")
        former.execute(
            "INSERT INTO apps (id, name, uid, created_at) VALUES (9, 'x', 70003, '2026')"
        )
    store.allocations.settle()
    assert held(store) == {
        (Kind.UID, second.uid): "app 2",
        (Kind.UID, 70003): "app 9",
        (Kind.UID, 70004): str(WEB),
        (Kind.UID, 70005): str(DRAIN_SENDER),
        (Kind.PORT, 20004): str(instance_holder("2-v1-9-web.1")),
        (Kind.PORT, 20009): str(PROXY_FILES),
    }


def test_settling_what_is_settled_writes_nothing(store: Store, path: Path) -> None:
    """It is done at every start."""
    store.instances.add([web(add(store, "shop"), 20003)])
    store.allocations.settle()
    before = MarkFile(path).read()
    store.allocations.settle()
    assert MarkFile(path).read() == before


def test_a_restored_store_gives_no_uid_of_the_lost_one(store: Store, path: Path) -> None:
    """Its apps' files and processes may be there; a range may be of exactly 1,000 uids."""
    ranges = Ranges(uids=(70000, 70999))
    store.close()
    recovery, made = DatabaseRecovery(path), Store(path, ranges)
    add(made, "kept")
    made.close()
    mark = MarkFile(path).read()
    assert mark is not None
    MarkFile(path).write(type(mark)(mark.id, mark.changes + 5))  # as after five lost changes
    recovery.adopt()
    assert Store(path, ranges).apps.add(AppName("new"), None, NOW).uid == 70501


def test_a_database_of_version_12(tmp_path: Path) -> None:
    """All that it gave out is taken over, and the next app gets the uid that it would have got."""
    path = tmp_path / "state.db"
    version_12.make(path)
    store = Store(path, Ranges(uids=(70000, 70999), ports=(4000, 5999)))
    assert held(store) == {
        (Kind.UID, 70000): "app 1",
        (Kind.UID, 70001): "app 2",
        (Kind.PORT, 5000): "instance 1-v1-5-web.1",
    }
    before = MarkFile(path).read()
    store.allocations.settle()
    assert held(store)[Kind.UID, 70998] == "web"
    assert held(store)[Kind.UID, 70999] == "drain sender"
    assert held(store)[Kind.PORT, 5999] == "proxy files"
    assert before is not None
    store.apps.forget_destroyed(2)
    (instance,) = store.instances.all()
    store.instances.remove([instance])
    store.apps.remove(1)
    store.apps.forget_destroyed(1)
    assert store.allocations.taken(Kind.UID) == {70998, 70999}
    assert store.allocations.taken(Kind.PORT) == {5999}
    assert add(store, "next").uid == 70001
