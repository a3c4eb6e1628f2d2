"""Storage directories: their places, and what is left of them when something fails."""

import os
from pathlib import Path

import pytest

from paas.adapters.runtime.native.launch_specs import storage_binds
from paas.adapters.system.storage_files import FileStorage
from paas.domain.apps.storage import Storage, storage_path
from paas.domain.releases.launch_spec import Bind
from paas.domain.releases.releases import State
from paas.domain.values.errors import PaasError
from paas.settings import Settings
from tests.fakes.runtime import Behaviour
from tests.fakes.world import ROOT, World

DATA = Storage(1, "/app/data")


def add(world: World, path: str = "/app/data") -> None:
    world.storage.add(ROOT, "shop", path, world.progress)


def remove(world: World, path: str = "/app/data", confirm: str | None = "shop") -> None:
    world.storage.remove(ROOT, "shop", path, confirm, world.progress)


@pytest.mark.parametrize(
    "path",
    [
        *("", "/", "/app", "/app/", "app/data", "data", "/etc", "/apple", "/app/../etc"),
        *("/app/.", "/app/./x", "/app//x", "/app/a b", "/app/a\nb", "/app/é", "/app/" + "x" * 101),
    ],
)
def test_bad_places_are_refused(path: str) -> None:
    """Only a plain path below /app is one."""
    with pytest.raises(PaasError) as caught:
        storage_path(path, [])
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("path", ["/app/data", "/app/data/", "/app/data/x"])
def test_none_lies_in_another(path: str) -> None:
    """Nor around it; a name that only begins alike is fine."""
    with pytest.raises(PaasError, match="storage directory /app/data"):
        storage_path(path, [DATA])
    with pytest.raises(PaasError, match="overlaps with"):
        storage_path("/app/data", [Storage(2, "/app/data/x")])
    assert storage_path("/app/data2", [DATA]) == "/app/data2"


def test_adding_rolls_out_and_removing_deletes(world: World) -> None:
    """New instances, and the directory comes first and goes last."""
    world.app()
    world.push()
    world.runtime.calls.clear()
    add(world)
    assert world.runtime.calls[0].startswith("start")
    ((storage, empty),) = world.storage.listing(ROOT, "shop")
    (world.folder / "storage/1" / str(storage.id) / "photo").write_bytes(bytes(4096))
    ((_, size),) = world.storage.listing(ROOT, "shop")
    assert (storage.path, size) == ("/app/data", empty + 4096)
    assert world.storage_files.all(1) == [storage.id]
    with pytest.raises(PaasError, match="for good"):
        remove(world, confirm=None)
    with pytest.raises(PaasError, match="no storage directory"):
        remove(world, "/app/other")
    remove(world, "/app/data/")
    assert world.storage.listing(ROOT, "shop") == []
    assert world.storage_files.all(1) == []


def test_a_failed_roll_out_changes_nothing(world: World) -> None:
    """What was added is gone again, what was to be removed stays with its files."""
    world.app()
    world.push()
    add(world, "/app/kept")
    kept = world.storage.listing(ROOT, "shop")
    world.runtime.behaviours["serve"] = Behaviour(State.CRASHED, 1, "exited with status 1")
    with pytest.raises(PaasError):
        add(world)
    with pytest.raises(PaasError):
        remove(world, "/app/kept")
    assert world.storage.listing(ROOT, "shop") == kept
    assert world.storage_files.all(1) == [kept[0][0].id]


def test_an_app_that_is_destroyed_leaves_none(world: World) -> None:
    """Neither of the directories nor in the database."""
    world.app()
    add(world)
    world.apps.destroy(ROOT, "shop", "shop", world.progress)
    assert world.storage_files.all(1) == []
    assert world.app().storage == ()


def test_where_processes_find_it(world: World) -> None:
    """A writable bind of the app's own directory."""
    world.app()
    add(world)
    app = world.store.apps.find("shop")
    assert app is not None
    (bind,) = storage_binds(Settings(), app)
    assert bind == Bind("/var/lib/paas/storage/1/1", "/app/data", writable=True)


def test_a_crash_between_record_and_directory_is_mended(world: World) -> None:
    """The directory is made before the instances that are to have it."""
    world.app()
    world.push()
    made = world.store.storage.add(1, "/app/data")
    world.runtime.running.clear()
    world.runtime.calls.clear()
    world.reconcile.run(world.progress)
    assert world.storage_files.all(1) == [made.id]
    world.reconcile.run(world.progress)
    assert world.storage_files.all(1) == [made.id]


def test_what_follows_the_switch_undoes_nothing(world: World) -> None:
    """Live instances write to what was added already, and no longer have what was removed."""
    world.app()
    world.push()

    def fails() -> None:
        raise RuntimeError("the disk is full")

    world.progress.when_live = fails
    with pytest.raises(RuntimeError):
        world.storage.add(ROOT, "shop", "/app/data", world.progress)
    ((storage, _),) = world.storage.listing(ROOT, "shop")
    assert world.storage_files.all(1) == [storage.id]
    with pytest.raises(RuntimeError):
        world.storage.remove(ROOT, "shop", "/app/data", "shop", world.progress)
    assert world.storage.listing(ROOT, "shop") == []


def test_directories_on_disk_are_listed_by_app(tmp_path: Path) -> None:
    """By their ids, for who clears up."""
    files = FileStorage(tmp_path)
    assert files.all(1) == []
    for storage_id in (2, 11):
        files.create(1, storage_id, os.getuid())
    assert files.all(1) == [2, 11]
    files.remove(1, 2)
    assert files.all(1) == [11]
