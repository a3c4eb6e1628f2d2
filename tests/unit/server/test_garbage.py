"""What the store does not know goes to the trash, and what runs of it is left to run."""

import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from paas.domain.people.permissions import Permission
from paas.domain.routing.routing import Routing
from paas.domain.runtime.workloads import Workload
from paas.domain.values.errors import PaasError
from paas.store.recovery import DatabaseRecovery
from tests.fakes.world import ROOT, World


def keep(world: World) -> Path:
    """A copy of the store as it is now."""
    world.store.apps.all()
    world.store.close()
    copy = world.folder / "copy.db"
    shutil.copy(world.folder / "state.db", copy)
    return copy


def put_back(world: World, copy: Path) -> None:
    """Make an older copy the store, as somebody with a backup would, and adopt it."""
    world.store.close()
    for path in world.folder.glob("state.db-*"):
        path.unlink()
    shutil.copy(copy, world.folder / "state.db")
    DatabaseRecovery(world.folder / "state.db").adopt()


def _slugs(running: Mapping[str, Workload]) -> set[str]:
    """The ids of the slugs that these run in."""
    found = [started.artifact for started in running.values()]
    return {artifact.directory.name for artifact in found if artifact is not None}


def test_an_unknown_app_that_runs_is_left_alone(world: World) -> None:
    """It serves on, and nothing of it is moved, until the server is started again."""
    copy = keep(world)
    world.app()
    world.push()
    world.storage.add(ROOT, "shop", "/app/data", world.progress)
    running, sites = dict(world.runtime.running), dict(world.proxy.by_app)
    put_back(world, copy)
    assert world.reconcile.run(world.progress) == 0
    assert world.runtime.running == running
    assert world.proxy.by_app == sites
    assert world.storage_files.all(1) == [1]
    assert "App 1 is running and served" in str(world.progress.lines)

    world.runtime.running.clear()
    world.reconcile.prepare()
    assert world.runtime.files == {}
    world.reconcile.run(world.progress)
    assert world.proxy.by_app == {}
    assert world.repository.created == set()
    assert {"app 1", "site 1"} <= set(world.trash.there)
    assert any(what.startswith("group 1-v1-") for what in world.trash.there)


def test_an_unknown_app_goes_to_the_trash(world: World) -> None:
    """Repository, storage and slugs of an app of which nothing runs."""
    copy = keep(world)
    world.app()
    world.storage.add(ROOT, "shop", "/app/data", world.progress)
    put_back(world, copy)
    assert world.reconcile.run(world.progress) == 1
    assert world.trash.there == ["app 1"]
    assert "App 1 is not in the database" in str(world.progress.lines)


def test_a_newer_release_serves_on(world: World) -> None:
    """The store has v1, v2 runs: it is not taken away, until the next roll-out replaces it."""
    world.app()
    world.push()
    copy = keep(world)
    world.push(commit="b" * 40)
    running, ports = dict(world.runtime.running), world.proxy.ports("shop.example.com")
    put_back(world, copy)
    world.reconcile.run(world.progress)
    assert world.runtime.running == running
    assert world.proxy.ports("shop.example.com") == ports
    assert "v2 runs, and the database has v1" in str(world.progress.lines)
    assert _slugs(running) <= world.slugs.frozen
    app = world.store.apps.find("shop")
    assert app is not None
    assert [i.port for i in world.store.instances.of_app(app.id)] == list(ports or ())
    assert world.reconcile.run(world.progress) == 0

    world.sites.change(
        ROOT, "shop", "adds a domain", lambda _, __: Routing(domains=("a.test",)), world.progress
    )
    assert world.proxy.ports_of(1) == ports
    world.push(commit="c" * 40)
    assert world.proxy.ports_of(1) != ports
    assert len(world.runtime.running) == 1


def test_a_newer_release_serves_on_if_the_former_one_is_being_drained(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The push of v2 still stops v1 when the store that has v1 is adopted: v2 is not taken away."""
    world.app()
    world.push()
    copy = keep(world)
    drained = dict(world.runtime.running)
    world.push(commit="b" * 40)
    running, ports = dict(world.runtime.running), world.proxy.ports("shop.example.com")
    world.runtime.running.update(drained)
    put_back(world, copy)
    with ExitStack() as draining:
        draining.enter_context(world.locks.draining(1))

        def end(_: float) -> None:
            for id in drained:
                world.runtime.running.pop(id, None)
            draining.close()

        monkeypatch.setattr(world.clock, "sleep", end)
        world.reconcile.run(world.progress)
    assert world.runtime.running == running
    assert world.proxy.ports("shop.example.com") == ports
    assert "v2 runs, and the database has v1" in str(world.progress.lines)


def test_a_drained_release_serves_again_if_the_older_store_has_it_as_live(world: World) -> None:
    """Its ports were closed for the end that the push of v2 could not record any more."""
    world.app()
    world.push()
    copy = keep(world)
    former, files = dict(world.runtime.running), dict(world.runtime.files)
    live = world.store.instances.of_app(1)
    world.push(commit="b" * 40)
    world.runtime.running |= former
    world.runtime.files |= files
    world.runtime.close_ports(live)
    put_back(world, copy)
    world.reconcile.run(world.progress)
    assert world.runtime.running == former
    assert world.proxy.ports("shop.example.com") == (live[0].port,)
    assert set(former).isdisjoint(world.runtime.shut_ids)


class PowerCutError(BaseException):
    """The machine is gone: nothing is cleaned up."""


def test_a_power_cut_while_a_newer_release_is_recorded(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of it is recorded, so the next start finds the same, and leaves it to serve."""

    def cut(*_: object) -> None:
        raise PowerCutError

    world.app()
    world.push()
    copy = keep(world)
    world.push(commit="b" * 40)
    running = dict(world.runtime.running)
    put_back(world, copy)
    with monkeypatch.context() as power:
        power.setattr(world.store.releases, "make_current", cut)
        with pytest.raises(PowerCutError):
            world.reconcile.run(world.progress)
    assert {i.version for i in world.store.instances.of_app(1)} == {1}
    world.reconcile.run(world.progress)
    assert world.runtime.running == running
    assert {i.version for i in world.store.instances.of_app(1)} == {2}


def test_an_app_that_the_store_has_no_release_of_serves_on(world: World) -> None:
    """It was deployed first after the copy was made."""
    world.app()
    copy = keep(world)
    world.push()
    running, sites = dict(world.runtime.running), dict(world.proxy.by_app)
    put_back(world, copy)
    world.reconcile.run(world.progress)
    assert world.runtime.running == running
    assert world.proxy.by_app == sites


def test_unknown_things_of_a_known_app_go_to_the_trash(world: World) -> None:
    """A slug, a storage directory, a certificate that are newer than the store."""
    world.app()
    world.push()
    world.slugs.frozen.add("1-abcd")
    world.storage_files.create(1, 7, 70000)
    world.certificate_files.there["1-00000001"] = None  # type: ignore[assignment]
    assert world.reconcile.run(world.progress) == 3
    assert sorted(world.trash.there) == ["certificate 1-00000001", "slug 1-abcd", "storage 1/7"]
    assert world.reconcile.run(world.progress) == 0
    assert "is not in the database: it was moved to the trash" in str(world.logs.lines)


def test_what_was_removed_is_deleted_after_a_kill(world: World) -> None:
    """The store says that it was removed: it no longer belongs to anyone."""
    world.app()
    world.push()
    world.slugs.frozen.add("1-abcd")
    world.store.slugs.remove("1-abcd")
    world.certificate_files.there["1-00000001"] = None  # type: ignore[assignment]
    world.store.certificates.change(1, add=(), remove=["1-00000001"])
    assert world.reconcile.run(world.progress) == 2
    assert world.trash.there == []
    assert world.store.gone.of_kind("slug") == world.store.gone.of_kind("certificate") == set()


def test_storage_whose_removal_is_cut_off_is_not_gone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is removed with the switch to instances without it: until then the app has it."""

    def cut(*_: object) -> None:
        raise PowerCutError

    world.app()
    world.push()
    world.storage.add(ROOT, "shop", "/app/data", world.progress)
    (storage,) = world.apps.find(ROOT, "shop", to=Permission.VIEW).storage
    with monkeypatch.context() as power:
        power.setattr(world.runtime, "start", cut)
        with pytest.raises(PowerCutError):
            world.storage.remove(ROOT, "shop", "/app/data", "shop", world.progress)
    assert world.apps.find(ROOT, "shop", to=Permission.VIEW).storage == (storage,)
    assert world.store.gone.of_kind("storage") == set()
    world.reconcile.run(world.progress)
    assert world.storage_files.all(1) == [storage.id]


def test_a_copy_from_the_middle_of_a_roll_out(world: World) -> None:
    """It knows the instances that are live now as such that are being started: they serve on."""
    world.app()
    world.push()
    copies: list[Path] = []
    world.proxy.meanwhile = lambda: copies.append(keep(world))
    world.push(commit="b" * 40)
    running, ports = dict(world.runtime.running), world.proxy.ports("shop.example.com")
    put_back(world, copies[0])
    world.reconcile.run(world.progress)
    assert world.runtime.running == running
    assert world.proxy.ports("shop.example.com") == ports
    assert world.slugs.frozen >= _slugs(running)


def test_what_runs_on_the_port_of_another_app(world: World) -> None:
    """In an older copy; it is said, with the way to the end, and both apps serve all the time."""
    for name in ("shop", "blog"):
        world.app(name)
        world.push(name)
    copy = keep(world)
    for name in ("shop", "blog"):
        world.push(name, commit="b" * 40)
    assert world.proxy.ports("blog.example.com") == (5000,)
    put_back(world, copy)
    with pytest.raises(PaasError, match="Not repaired, for the reasons above: blog"):
        world.reconcile.run(world.progress)
    told = str(world.progress.lines)
    assert "port 5000: in the database that is the port of an instance of shop." in told
    assert "2-v2-4-web.1" in world.runtime.running
    assert world.proxy.ports("blog.example.com") == (5000,)
    world.ports.used = {5000}  # blog listens there
    world.processes.restart(ROOT, "shop", [], world.progress)
    world.reconcile.run(world.progress)
    world.ports.used.clear()
    held = {str(one.holder): one.number for one in world.store.allocations.all()}
    assert held["instance 2-v2-4-web.1"] == 5000
    assert world.proxy.ports("blog.example.com") == (5000,)


def test_what_a_killed_roll_out_left_is_not_adopted(world: World) -> None:
    """All of the app is stopped by hand: nothing of it is to run."""
    world.app()
    world.push()
    world.store.instances.next_rollout_id()
    world.store.releases.make_current(1, 1, None)
    assert world.runtime.running != {}
    world.reconcile.run(world.progress)
    assert world.runtime.running == {}


def test_networks_of_apps_that_are_gone_are_closed(world: World) -> None:
    """Those of apps stay, also of one that is destroyed but not removed yet."""
    world.runtime.host = "10.212.0.2"
    app = world.app()
    world.push()
    world.runtime.networked.add(99)
    world.reconcile.run(world.progress)
    assert world.runtime.networked == {app.uid}
    world.apps.destroy(ROOT, app.name, app.name, world.progress)
    assert world.runtime.networked == set()
