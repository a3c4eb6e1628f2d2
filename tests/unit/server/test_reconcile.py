"""After a crash at any point, the server comes back to the last committed release."""

from datetime import datetime

import pytest

from paas.domain.releases.releases import State, Status
from paas.domain.routing.routing import Routing
from paas.domain.values.errors import PaasError, disk_full
from paas.domain.values.names import AppName
from paas.store.database import Table
from tests.fakes.runtime import Behaviour
from tests.fakes.world import ROOT, World


class PowerCutError(BaseException):
    """The machine is gone: nothing is cleaned up."""


@pytest.mark.parametrize("step", ["write_tree", "freeze", "start", "apply", "make_current"])
def test_crash_during_a_deploy(world: World, step: str) -> None:
    """The old release serves, and nothing of the new one is left."""
    world.app()
    world.push()
    world.logs.lines.clear()
    _cut_power_at(world, step)
    with pytest.raises(PowerCutError):
        world.push(commit="b" * 40)
    _restore_power(world)
    world.reconcile.run(world.progress)
    app = world.store.apps.find("shop")
    assert app is not None
    assert app.current == 1
    assert set(world.runtime.running) == {"1-v1-1-web.1"}
    assert world.proxy.ports("shop.example.com") == (5000,)
    assert world.slugs.building == set()
    assert Status.PENDING not in {r.status for r in world.store.releases.of_app(1)}
    assert Status.PENDING not in {b.status for b in world.store.builds.of_app(1)}
    world.push(commit="c" * 40)
    assert world.proxy.ports("shop.example.com") == world.proxy.ports_of(1)


def test_nothing_to_mend(world: World) -> None:
    """A healthy server is left as it is."""
    world.app()
    world.push()
    world.runtime.calls.clear()
    assert world.reconcile.run(world.progress) == 0
    assert world.runtime.calls == []


def _reboot(world: World) -> None:
    """The supervisor's files are gone with /run."""
    world.runtime.running.clear()
    world.runtime.files.clear()


def test_lost_instances_are_started_again(world: World) -> None:
    """After a reboot an app runs as before, from its slug and its config, at its port."""
    world.app()
    world.push()
    started = dict(world.runtime.running)
    _reboot(world)
    assert world.reconcile.run(world.progress) == 1
    assert world.runtime.running == started
    assert world.proxy.ports("shop.example.com") == (5000,)


def test_the_groups_are_asked_for_once(world: World) -> None:
    """However many apps are started again, the supervisor's list is read as often as for none."""
    for name in ("alpha", "beta", "shop"):
        world.app(name)
        world.push(name)
    started = dict(world.runtime.running)
    before = world.runtime.asked
    assert world.reconcile.run(world.progress) == 0
    healthy = world.runtime.asked - before
    _reboot(world)
    before = world.runtime.asked
    assert world.reconcile.run(world.progress) == 3
    assert world.runtime.asked - before == healthy
    assert world.runtime.running == started


def test_an_app_that_is_rolled_out_meanwhile_is_looked_at_again(world: World) -> None:
    """What ran when the apps were listed says nothing about it."""
    world.app("alpha")
    world.push("alpha")
    shop = world.app()
    world.push()
    create = world.repository.create

    def push_first(app_id: int) -> None:
        if app_id != shop.id:
            world.push(commit="b" * 40)
        create(app_id)

    world.repository.create = push_first  # type: ignore[method-assign]
    assert world.reconcile.run(world.progress) == 0
    live = {instance.id for instance in world.store.instances.of_app(shop.id)}
    assert {id for id in world.runtime.running if id.startswith(f"{shop.id}-v2-")} == live


def test_an_app_that_fails_after_a_reboot_is_tried_again(world: World) -> None:
    """Its database may come up later: the supervisor keeps trying, and no other app waits."""
    for name in ("broken", "shop"):
        world.app(name)
        world.push(name)
    started = dict(world.runtime.running)
    for one in started.values():
        world.runtime.behaviours[one.argv[-1]] = Behaviour(State.CRASHED, exits=1)
    _reboot(world)
    assert world.reconcile.run(world.progress) == 2
    assert world.runtime.running == started


def test_a_lost_instance_whose_port_is_taken_gets_another(world: World) -> None:
    """What has the port now is no app of ours: a roll-out finds a free one."""
    world.app()
    world.push()
    _reboot(world)
    world.ports.used.add(5000)
    assert world.reconcile.run(world.progress) == 1
    assert world.proxy.ports("shop.example.com") == (5001,)


def test_apps_come_back_on_a_full_disk(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though the uids and ports that are in use cannot be recorded, as after an upgrade."""
    world.app()
    world.push()
    _reboot(world)

    def full() -> None:
        raise disk_full()

    monkeypatch.setattr(world.store.allocations, "settle", full)
    world.reconcile.prepare()
    world.reconcile.run(world.progress)
    assert set(world.runtime.running) == {"1-v1-1-web.1"}
    assert "The uids and ports in use are not recorded" in str(world.progress.lines)


def test_no_app_waits_for_the_roll_out_of_another(world: World) -> None:
    """One whose port is taken waits for its health: the others are back before that."""
    for name in ("first", "last"):
        world.app(name)
        world.push(name)
    _reboot(world)
    world.ports.used.add(5000)
    back: list[set[str]] = []
    world.probe.meanwhile = lambda: back.append(set(world.runtime.running))
    assert world.reconcile.run(world.progress) == 2
    assert back
    assert "2-v1-2-web.1" in back[0]
    assert world.proxy.ports("first.example.com") == (5002,)


def test_roll_outs_are_made_side_by_side(world: World) -> None:
    """All whose ports are taken are asked for at once; those that fail are named together."""
    for name in ("one", "two", "three"):
        world.app(name)
        world.push(name)
    commands = [started.argv[-1] for started in world.runtime.running.values()]
    _reboot(world)
    world.ports.used |= {5000, 5001}
    for command in commands:
        world.runtime.behaviours[command] = Behaviour(State.CRASHED, exits=1)
    with pytest.raises(PaasError, match=r"Not repaired, .*: one, two\."):
        world.reconcile.run(world.progress)
    assert world.parallel_roll_outs.asked == [["one", "two"]]


def test_what_still_runs_is_replaced_when_a_part_is_lost(world: World) -> None:
    """Instances of a group whose files are gone in part are replaced without losing a request."""
    world.app()
    world.push()
    world.runtime.files.clear()
    assert world.reconcile.run(world.progress) == 1
    assert world.proxy.ports("shop.example.com") == (5001,)


def test_strays_are_removed(world: World) -> None:
    """Groups, sites and directories of no app go away."""
    world.app("gone")
    world.push("gone")
    world.store.apps.remove(1)
    assert world.reconcile.run(world.progress) == 1
    assert world.runtime.running == {}
    assert world.proxy.sites() == set()
    assert world.slugs.frozen == set()


def test_a_boot_lays_all_apps_out_for_the_supervisor(world: World) -> None:
    """It starts them side by side, with their release's config, and nothing is left to mend."""
    for name in ("first", "second"):
        world.app(name)
        world.push(name)
    started = dict(world.runtime.running)
    _reboot(world)
    world.reconcile.prepare()
    assert world.runtime.running == {}
    assert world.runtime.files == started
    world.runtime.running.update(world.runtime.files)
    world.runtime.asked = 0
    assert world.reconcile.run(world.progress) == 0
    assert world.runtime.asked <= 2, "for all apps together"


def test_a_boot_lays_out_the_others_where_one_cannot_be(world: World) -> None:
    """A port that somebody has, or a disk that refuses: that app is seen to when all is up."""
    for name in ("first", "second", "third"):
        world.app(name)
        world.push(name)
    started = dict(world.runtime.running)
    _reboot(world)
    world.ports.used.add(5000)
    world.runtime.failure = PaasError("file-not-written", "It cannot be written.")
    world.reconcile.prepare()
    assert list(world.runtime.files) == ["3-v1-3-web.1"]
    world.runtime.running.update(world.runtime.files)
    assert world.reconcile.run(world.progress) == 2
    assert (
        world.runtime.running.items()
        >= {id: one for id, one in started.items() if one.ports != (5000,)}.items()
    )
    assert world.proxy.ports("first.example.com") == (5003,)


def test_an_app_that_is_being_deployed_is_left_alone(world: World) -> None:
    """A deploy that outlived the gate is not disturbed."""
    world.app()
    world.push()
    world.runtime.running.clear()
    world.locks.held[1] = "alice deploys"
    assert world.reconcile.run(world.progress) == 0


def test_before_the_start_sites_are_rendered(world: World) -> None:
    """Deleted site files come back at boot."""
    world.app()
    world.push()
    world.proxy.by_app.clear()
    world.reconcile.prepare()
    assert world.proxy.ports("shop.example.com") == (5000,)


def _cut_power_at(world: World, step: str) -> None:
    """Make that step of the next deploy end everything, and cleaning up impossible."""

    def cut(*_: object, **__: object) -> None:
        for holder, name in (
            (world.runtime, "stop"),
            (world.store.builds, "end"),
            (world.store.releases, "fail"),
            (world.store.instances, "remove"),
            (world.store.slugs, "remove"),
            (world.slugs, "remove"),
            (world.proxy, "apply"),
        ):
            setattr(holder, name, _dead)
        raise PowerCutError

    owners = {
        "write_tree": world.repository,
        "freeze": world.slugs,
        "start": world.runtime,
        "apply": world.proxy,
        "make_current": world.store.releases,
    }
    setattr(owners[step], step, cut)


def _dead(*_: object, **__: object) -> None:
    raise PowerCutError


def _restore_power(world: World) -> None:
    tables = [value for value in vars(world.store).values() if isinstance(value, Table)]
    for holder in (world.runtime, *tables, world.slugs, world.proxy, world.repository):
        for name in [
            n for n, v in vars(holder).items() if getattr(v, "__name__", "") in {"cut", "_dead"}
        ]:
            delattr(holder, name)


def test_uids_are_not_given_twice(world: World) -> None:
    """A removed app's uid is not given again while others are free."""
    first = world.app("one")
    world.store.apps.remove(first.id)
    second = world.store.apps.add(AppName("two"), None, datetime.now().astimezone())
    assert second.uid != first.uid


def test_what_a_killed_build_left_is_cleared(world: World) -> None:
    """Its processes and files no longer belong to an app; the next look finds nothing."""
    world.app()
    world.push()
    world.builder.interrupted.add(1)
    assert world.reconcile.run(world.progress) == 1
    assert world.reconcile.run(world.progress) == 0


def test_one_app_that_cannot_be_told_keeps_no_other_from_being_served(world: World) -> None:
    """A row of a later version or an obsolete setting is reported, and the rest continues."""
    for name in ("bad", "worse", "good"):
        world.app(name)
        world.push(name)
    world.store.routing.set(1, Routing(settings={"allow": "fe80::1%x;"}))
    with world.store.database.writing() as connection:
        connection.execute("""INSERT INTO routing VALUES (2, '{"from": "the future"}')""")
    world.proxy.by_app.clear()
    world.reconcile.prepare()
    assert set(world.proxy.by_app) == {3}
    assert [app.name for app in world.sites.unserved()] == ["bad", "worse"]
    with pytest.raises(PaasError, match=r"Not repaired, .*: bad, worse\."):
        world.reconcile.run(world.progress)
    assert "allow takes addresses or ranges" in str(world.logs.lines)
    assert "cannot be read" in str(world.logs.lines)


def test_one_name_is_served_for_one_app(world: World) -> None:
    """Should two apps have one name after a crash, the proxy gets one of them."""
    world.app("one")
    world.push("one")
    world.app("two")
    world.push("two")
    world.store.routing.set(2, Routing(domains=("one.example.com",)))
    world.reconcile.prepare()
    assert set(world.proxy.by_app) == {1}


def test_what_a_killed_destroy_left_is_deleted(world: World) -> None:
    """The app is gone from the store, and with it who would know of its files."""
    world.app()
    world.app("other")
    world.push()
    world.storage.add(ROOT, "shop", "/app/data", world.progress)
    world.pages.set_maintenance(1, b"page")

    def cut(app_id: int) -> None:
        raise KeyboardInterrupt

    world.slugs.remove_cache = cut  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        world.apps.destroy(ROOT, "shop", "shop", world.progress)
    world.slugs.remove_cache = lambda app_id: None  # type: ignore[method-assign]
    assert world.storage_files.all(1)

    world.locks.held[1] = "alice destroys the app"
    assert world.reconcile.run(world.progress) == 0
    del world.locks.held[1]
    assert world.reconcile.run(world.progress) == 1
    assert world.storage_files.all(1) == []
    assert world.pages.maintenance(1) is None
    assert world.repository.created == {2}


def test_storage_that_was_removed_and_not_deleted_is(world: World) -> None:
    """Whoever removed it was killed while former instances ended; not before they have."""
    world.app()
    world.storage.add(ROOT, "shop", "/app/data", world.progress)
    world.storage.add(ROOT, "shop", "/app/kept", world.progress)
    world.store.storage.remove(1)
    with world.locks.draining(1):
        assert world.reconcile.run(world.progress) == 0
    assert world.reconcile.run(world.progress) == 1
    assert world.storage_files.all(1) == [2]
