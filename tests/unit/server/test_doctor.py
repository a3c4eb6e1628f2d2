"""Doctor finds what reconcile would mend, and what nobody can, and changes nothing by looking."""

import os
from collections.abc import Callable
from dataclasses import replace

import pytest

from paas.domain.releases.releases import Build, State, Status
from paas.domain.server.findings import ENGINE, Finding, mendable
from paas.domain.values.errors import PaasError
from paas.domain.values.names import VarName
from paas.services.datastores.upkeep import SilentDatastores
from tests.fakes.runtime import Behaviour
from tests.fakes.world import ROOT, World

SHOP = "shop"


@pytest.fixture
def well(world: World) -> World:
    """A server with an app that has two releases and a storage directory."""
    world.key_file.publish(world.store.keys.all(), [])
    world.app()
    world.push()
    world.storage.add(ROOT, SHOP, "/app/data", world.progress)
    world.push(commit="b" * 40)
    world.logs.lines.clear()
    return world


def _lose_files(world: World) -> None:
    world.runtime.running.clear()
    world.runtime.files.clear()


def _lose_storage(world: World) -> None:
    world.storage_files.remove(1)


def _lose_site(world: World) -> None:
    world.proxy.by_app.clear()


def _lose_repository(world: World) -> None:
    world.repository.created.clear()


def _change_keys(world: World) -> None:
    world.key_file.published = ["mallory"]


def _interrupt_switch(world: World) -> None:
    world.proxy.unsettled = True


def _leave_build(world: World) -> None:
    world.builder.interrupted.add(1)


def _leave_release(world: World) -> None:
    world.store.releases.add(
        1, slug_id=None, config={}, description="x", user="root", now=world.clock.now()
    )


def _stray_slug(world: World) -> None:
    world.slugs.frozen.add("1-stray")


def _stray_group(world: World) -> None:
    (one,) = world.runtime.running.values()
    stray = replace(one, group="1-v1-99")
    world.runtime.running[stray.id] = stray


DAMAGES: dict[Callable[[World], None], str] = {
    _lose_files: "instances",
    _lose_storage: "storage",
    _lose_site: "site",
    _lose_repository: "repository",
    _change_keys: "keys",
    _interrupt_switch: "proxy",
    _leave_build: "interrupted",
    _leave_release: "interrupted",
    _stray_slug: "stray",
    _stray_group: "stray",
}


def test_a_healthy_server(well: World) -> None:
    """Nothing is found, and fixing changes nothing."""
    assert well.doctor.look() == []
    outcome = well.doctor.fix(ROOT, well.progress)
    assert (outcome.mended, outcome.left, outcome.count) == ([], [], 0)


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_what_reconcile_mends_is_found_first(well: World, damage: Callable[[World], None]) -> None:
    """A dry run: it is reported with the command that repairs it, which then finds no more."""
    damage(well)
    found = well.doctor.look()
    assert [(f.check, f.command, f.mends) for f in found] == [
        (DAMAGES[damage], "paas doctor --fix", True)
    ]
    assert well.doctor.look() == found, "looking changes nothing"
    outcome = well.doctor.fix(ROOT, well.progress)
    assert outcome.mended == found
    assert outcome.left == []
    assert not outcome.failed
    assert well.doctor.look() == []


def test_apps_are_not_asked_about_while_their_engine_hangs(well: World) -> None:
    """It would take minutes; once it is mended they are looked at, in the same turn."""
    hangs = mendable(ENGINE, "The Docker engine does not answer.")
    well.machine.wrong = [hangs]
    _lose_files(well)
    assert well.doctor.look() == well.doctor.warnings(SilentDatastores()) == [hangs]
    outcome = well.doctor.fix(ROOT, well.progress)
    assert [finding.check for finding in outcome.mended] == [ENGINE, "instances"]
    assert (outcome.left, outcome.failed) == ([], False)


def test_an_app_that_was_scaled_is_healthy(well: World) -> None:
    """The instances that stay and those that are added are the same site in any order."""
    for web in ("web=3", "web=2"):
        well.processes.scale(ROOT, SHOP, [web], well.progress)
        assert well.doctor.look() == []


def test_an_interrupted_build_is_found(well: World) -> None:
    """It counts as failed after the fix."""
    well.store.builds.add(
        Build("1-cut", 1, "c" * 40, "root", Status.PENDING, well.clock.now(), None, None)
    )
    (finding,) = well.doctor.look()
    assert "1-cut was interrupted" in finding.message
    well.doctor.fix(ROOT, well.progress)
    assert Status.PENDING not in {build.status for build in well.store.builds.of_app(1)}


def _lose_live_slug(world: World) -> Finding:
    """The one finding of it."""
    app = world.store.apps.find(SHOP)
    assert app
    assert app.current
    live = world.store.releases.find(1, app.current)
    assert live
    assert live.slug_id
    world.slugs.frozen.remove(live.slug_id)
    (finding,) = world.doctor.look()
    assert f"the files of v{app.current}, which is live, are gone" in finding.message
    assert finding.grave
    return finding


def test_a_live_slug_that_is_gone_is_built_again(well: World) -> None:
    """From its commit, with its config and no release command; it becomes a release."""
    well.repository.procfiles["c" * 40] = b"web: serve\nrelease: echo migrating\n"
    well.push(commit="c" * 40)
    well.config.set(ROOT, SHOP, {VarName("A"): "1"}, well.progress)
    ran = len(well.one_off.ran)
    finding = _lose_live_slug(well)
    assert (finding.command, finding.mends) == ("paas doctor --fix", True)
    outcome = well.doctor.fix(ROOT, well.progress)
    assert (outcome.mended, outcome.failed) == ([finding], False)
    # The former releases of those files cannot be rolled back to.
    assert [(left.check, left.grave) for left in outcome.left] == [("slug", False)]
    app = well.store.apps.find(SHOP)
    assert app
    assert app.current
    live = well.store.releases.find(1, app.current)
    assert live
    assert live.description == "Rebuild of v4, whose files were damaged or gone"
    assert live.config[VarName("A")].reveal() == "1"
    slug = well.store.slugs.find(live.slug_id or "")
    assert slug
    assert slug.commit == "c" * 40
    assert len(well.one_off.ran) == ran
    assert well.environment()["A"] == "1"


def test_a_rebuild_that_fails_leaves_what_runs(well: World) -> None:
    """The app stays as it is, and the finding stays."""
    finding = _lose_live_slug(well)
    running = dict(well.runtime.running)
    well.builder.failure = PaasError("build-failed", "There is no network.")
    outcome = well.doctor.fix(ROOT, well.progress)
    assert (outcome.left, outcome.failed) == ([finding], True)
    assert well.runtime.running == running
    assert "There is no network" in str(well.progress.lines)
    assert well.slugs.building == set()


def test_the_server_builds_nothing_unasked(well: World) -> None:
    """Its own repairs after a killed command leave that to an admin."""
    finding = _lose_live_slug(well)
    assert well.doctor.fix(ROOT, well.progress, rebuilds=False).left == [finding]
    app = well.store.apps.find(SHOP)
    assert app
    assert app.current == well.store.releases.of_app(1)[0].version


def test_no_rebuild_while_deploys_are_locked(well: World) -> None:
    """Who locked them has a reason; the former release is the way back."""
    well.maintenance.lock(ROOT, SHOP, "migration")
    assert _lose_live_slug(well).command == "paas rollback v1 -a shop"


def test_a_live_slug_whose_commit_is_gone(well: World) -> None:
    """Nobody can bring it back: told with the release to roll back to, and still there after."""
    well.repository.lost.add("b" * 40)
    finding = _lose_live_slug(well)
    assert finding.command == "paas rollback v1 -a shop"
    assert well.doctor.fix(ROOT, well.progress).left == [finding]


def test_all_slugs_that_are_gone(well: World) -> None:
    """Without a commit and another release only a new push helps."""
    well.repository.lost.add("b" * 40)
    well.slugs.frozen.clear()
    live, earlier = well.doctor.look()
    assert live.command.startswith("git commit --allow-empty")
    assert not earlier.grave


def test_a_repository_without_its_objects(well: World) -> None:
    """It is neither mended nor deleted: the command moves it away."""
    well.repository.damaged[1] = "/git/1.git has lost the objects of its branch main"
    (finding,) = well.doctor.look()
    assert finding.command.startswith("mv /git/1.git /root/")
    assert well.doctor.fix(ROOT, well.progress).left == [finding]


def test_a_crashed_app_is_its_own(well: World) -> None:
    """It is reported, with its log, but not as a fault of the server; server:status warns, too."""
    for one in well.runtime.running.values():
        well.runtime.behaviours[one.argv[-1]] = Behaviour(State.CRASHED, exits=3)
    (finding,) = well.doctor.look()
    assert (finding.check, finding.grave) == ("crashed", False)
    assert finding.command == "paas logs -a shop -n 100"
    assert well.doctor.warnings(SilentDatastores()) == [finding]


def test_an_app_that_nobody_hears(well: World) -> None:
    """Up, and nothing on its port."""
    for one in well.runtime.running.values():
        well.runtime.behaviours[one.argv[-1]] = Behaviour(listens=frozenset())
    assert [f.check for f in well.doctor.look()] == ["deaf"]


def test_a_service_of_the_machine_that_is_closed(well: World) -> None:
    """The admin is told how to open it; it is no fault of the server."""
    well.runtime.refused = {5432}
    (finding,) = well.doctor.look()
    assert (finding.check, finding.grave) == ("refused", False)
    assert finding.message.startswith("shop: It tried to connect to 127.0.0.1:5432 (PostgreSQL).")
    assert "add 5432 to the list host_ports" in finding.command


def test_a_clock_that_went_back(well: World) -> None:
    """Certificates and cron jobs go by it."""
    well.clock.seconds -= 400 * 86_400
    assert "clock" in [f.check for f in well.doctor.look()]


@pytest.mark.parametrize(
    ("number", "command"),
    [("uid = 70009", "run install.sh"), ("port = 29999", "paas ps:restart -a shop")],
)
def test_a_number_of_the_server_s_own_that_an_app_has(
    well: World, number: str, command: str
) -> None:
    """As after a change of the ranges in server.yml."""
    kind, _, value = number.partition(" = ")
    well.store.database.write(
        "UPDATE allocations SET number = ? WHERE kind = ? AND holder IN ('app', 'instance')",
        value,
        kind,
    )
    (found,) = [one for one in well.doctor.look() if one.check == "allocations"]
    assert found.message.startswith(f"shop has {kind} {value}, and ")
    assert command in found.command


def test_an_app_that_is_being_changed_is_left_out(well: World) -> None:
    """What is half done is no finding."""
    _lose_files(well)
    _lose_site(well)
    well.locks.held[1] = "alice deploys"
    assert well.doctor.look() == []


def test_the_ground_comes_first(well: World) -> None:
    """Problems of the machine are repaired before those of apps; what remains is reported."""
    rules = mendable("firewall", "The firewall's rules are gone.")
    sshd = mendable("listening", "sshd does not take connections at 127.0.0.1:22.")
    disk = Finding(check="disk", message="The disk is full.", command="df -h")
    well.machine.wrong = [rules, sshd, disk]
    well.machine.stubborn = {"listening"}
    assert well.doctor.look() == [rules, sshd, disk]
    assert well.doctor.warnings(SilentDatastores()) == [disk]
    outcome = well.doctor.fix(ROOT, well.progress)
    assert (outcome.mended, outcome.left) == ([rules], [sshd, disk])


def test_a_stopped_server(well: World) -> None:
    """Its apps cannot be judged, and nothing of them is touched."""
    down = Finding(check="daemon", message="The server is stopped.", command="paas server:start")
    well.machine.up, well.machine.wrong = False, [down]
    _lose_files(well)
    assert well.doctor.look() == [down]
    assert well.doctor.fix(ROOT, well.progress).left == [down]
    assert well.runtime.running == {}


def test_a_damaged_store(well: World) -> None:
    """Nothing is concluded from it: no app is looked at, none is touched."""
    _lose_files(well)
    well.store.close()
    (well.folder / "state.db").write_bytes(os.urandom(40_960))
    (damaged,) = well.doctor.look()
    assert damaged.command == "paas doctor --restore-store"
    assert well.doctor.fix(ROOT, well.progress).left == [damaged]
    assert well.doctor.warnings(SilentDatastores()) == [damaged]
    assert well.runtime.running == {}


def test_a_drain_that_ends_during_the_look(well: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its instances were read while it went on; they are not reported."""
    (live,) = well.store.instances.of_app(1)
    former = replace(live, version=1, rollout_id=live.rollout_id - 1, port=None)
    well.store.instances.add([former])

    looks: list[int] = []

    def end_of_drain(app_id: int) -> bool:
        looks.append(app_id)
        if len(looks) == 2:  # the first is for its storage, the second for its instances
            well.store.instances.remove([former])
        return False

    monkeypatch.setattr(well.locks, "is_draining", end_of_drain)
    assert well.doctor.look() == []
