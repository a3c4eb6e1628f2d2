"""Other plans for datastores: limits change, data stay, and what fails changes nothing."""

import pytest

from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.datastores.plans import SMALL, STANDARD, Plan
from paas.domain.datastores.postgresql_settings import SETTINGS
from paas.domain.values.errors import PaasError
from tests.fakes.world import ROOT, World


def made(world: World, kind: DatastoreKind) -> str:
    """A small one of the app shop."""
    world.app()
    return world.datastores.create(ROOT, "shop", (kind, SMALL), None, world.progress).name


def change(world: World, name: str, kind: DatastoreKind, plan: Plan) -> None:
    """What addons:upgrade does."""
    world.plan_changes.change(ROOT, "shop", name, (kind, plan), world.progress)


def plan_of(world: World, name: str) -> Plan:
    """As the store has it."""
    found = world.store.datastores.find(name)
    assert found is not None
    return found.plan


@pytest.mark.parametrize("kind", DatastoreKind)
def test_each_kind_gets_another_plan(world: World, kind: DatastoreKind) -> None:
    """And back; the same one again is refused."""
    name = made(world, kind)
    world.datastore_server.size_bytes = 1_000
    for plan in (STANDARD, SMALL):
        change(world, name, kind, plan)
        assert plan_of(world, name) == plan
    with pytest.raises(PaasError, match="already"):
        change(world, name, kind, SMALL)


def test_one_that_does_not_come_up_has_its_former_plan(world: World) -> None:
    """And is started with it."""
    name = made(world, DatastoreKind.MYSQL)
    world.datastore_server.fail = PaasError("datastore-not-started", "It did not come up.")
    with pytest.raises(PaasError, match="come up"):
        change(world, name, DatastoreKind.MYSQL, STANDARD)
    assert plan_of(world, name) == SMALL


def test_a_plan_that_is_too_small(world: World) -> None:
    """For what Redis has, or for a setting of PostgreSQL."""
    name = made(world, DatastoreKind.REDIS)
    change(world, name, DatastoreKind.REDIS, STANDARD)
    world.datastore_server.size_bytes = 100 * 1024**2
    with pytest.raises(PaasError, match="room for"):
        change(world, name, DatastoreKind.REDIS, SMALL)
    assert plan_of(world, name) == STANDARD


def test_a_setting_that_is_too_much_for_a_plan(world: World) -> None:
    """It is named, and nothing has changed."""
    name = made(world, DatastoreKind.POSTGRESQL)
    change(world, name, DatastoreKind.POSTGRESQL, STANDARD)
    wanted = (SETTINGS["work_mem"], "100MB")
    world.postgresql.set_setting(ROOT, "shop", name, wanted, world.progress, restart=False)
    with pytest.raises(PaasError, match="work_mem"):
        change(world, name, DatastoreKind.POSTGRESQL, SMALL)
    assert plan_of(world, name) == STANDARD


def test_another_kind_is_refused(world: World) -> None:
    """It is told what it is."""
    name = made(world, DatastoreKind.REDIS)
    with pytest.raises(PaasError, match="Redis"):
        change(world, name, DatastoreKind.POSTGRESQL, STANDARD)
