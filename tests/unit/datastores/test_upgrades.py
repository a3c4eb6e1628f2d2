"""Upgrades to another major version over fakes: what is refused, and what a failure leaves."""

from datetime import timedelta

import pytest

from paas.domain.datastores.datastores import Datastore
from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.datastores.plans import SMALL
from paas.domain.values.errors import PaasError
from tests.fakes.world import ROOT, World


def made(world: World) -> Datastore:
    """A PostgreSQL 15 of the app shop, as it is in the store now."""
    if not world.store.datastores.all():
        world.app()
        order = (DatastoreKind.POSTGRESQL, SMALL)
        world.datastores.create(ROOT, "shop", order, None, world.progress)
    return world.store.datastores.all()[0]


def upgrade(world: World, to: str | None = None) -> None:
    """What pg:upgrade does."""
    world.upgrades.upgrade(ROOT, "shop", None, to, world.progress)


def test_the_newest_version_is_served(world: World) -> None:
    """Its backups begin again, and the former files are kept for a week."""
    one = made(world)
    world.archive_jobs.run_due(world.progress)
    assert world.archive_schedule.due(one) is None
    upgrade(world)
    assert made(world).version == "17"
    assert world.major_upgrades.steps == ["prepare 17", "copy 17", "finish"]
    assert world.datastore_server.answers(made(world))
    assert world.archive_schedule.due(made(world)) is not None
    world.upgrades.delete_former()
    assert world.major_upgrades.former == {one.name}
    world.clock.sleep(timedelta(days=8).total_seconds())
    world.upgrades.delete_former()
    assert world.major_upgrades.former == set()


@pytest.mark.parametrize("step", ["prepare", "copy"])
def test_a_failure_leaves_the_former_one_serving(world: World, step: str) -> None:
    """Whatever it was doing; nothing of it is left."""
    one = made(world)
    world.major_upgrades.fail[step] = PaasError("pg-upgrade-failed", "It did not work.")
    with pytest.raises(PaasError, match="did not work"):
        upgrade(world, "16")
    assert made(world).version == "15"
    assert world.major_upgrades.steps[-1] == "give up"
    assert world.datastore_server.answers(one)


def test_what_comes_after_it_may_fail(world: World) -> None:
    """It is reported; the new version serves."""
    made(world)
    world.major_upgrades.fail["finish"] = PaasError("datastore-not-asked", "No statistics.")
    upgrade(world)
    assert made(world).version == "17"
    assert any("No statistics" in line for line in world.progress.lines)


@pytest.mark.parametrize("to", ["14", "15", "18", "new"])
def test_other_versions_are_refused(world: World, to: str) -> None:
    """Those that are not later, or not installed; and where there is no later one at all."""
    made(world)
    with pytest.raises(PaasError) as caught:
        upgrade(world, to)
    assert caught.value.reference == "pg-upgrade-version"
    world.major_upgrades.installed = ["15"]
    with pytest.raises(PaasError, match="no later version"):
        upgrade(world)
    assert world.major_upgrades.steps == []


def test_it_needs_room_and_a_server_that_answers(world: World) -> None:
    """Before anything is done."""
    one = made(world)
    world.major_upgrades.room = (1_000_000_000, 1_100_000_000)
    with pytest.raises(PaasError) as caught:
        upgrade(world)
    assert caught.value.reference == "pg-upgrade-room"
    world.major_upgrades.room = (1_000_000_000, 2_000_000_000)
    world.runtime.running.clear()
    with pytest.raises(PaasError) as caught:
        upgrade(world)
    assert caught.value.reference == "datastore-down"
    assert (made(world).version, world.major_upgrades.steps) == (one.version, [])
