"""Connection pooling of PostgreSQL datastores, over fakes."""

import pytest

from paas.domain.datastores.datastores import Datastore
from paas.domain.datastores.kinds import AttachmentName, DatastoreKind
from paas.domain.datastores.plans import SMALL
from paas.domain.datastores.pooling import Pooler
from paas.domain.releases.releases import State
from paas.domain.values.errors import PaasError
from tests.fakes.runtime import Behaviour
from tests.fakes.world import ROOT, World

VAR = "DATABASE_CONNECTION_POOL_URL"


def made(world: World) -> Datastore:
    """A deployed app with a datastore."""
    world.app()
    world.push()
    order = (DatastoreKind.POSTGRESQL, SMALL)
    return world.datastores.create(ROOT, "shop", order, None, world.progress)


def pooled(world: World, chosen: str | None = None) -> Pooler:
    """The same, with its pooler attached."""
    one = made(world)
    name = AttachmentName(chosen) if chosen else None
    world.pooling.attach(ROOT, "shop", None, name, world.progress)
    pooler = world.store.poolers.of(one)
    assert pooler is not None
    return pooler


def refused(reference: str) -> pytest.RaisesExc[PaasError]:
    """An error of that reference."""
    return pytest.raises(PaasError, check=lambda error: error.reference == reference)


def nothing_is_left(world: World, one: Datastore) -> None:
    """Of the pooler; the datastore is as it was."""
    assert world.store.poolers.of(one) is None
    assert world.poolers.files == set()
    assert not any("pooler" in id for id in world.runtime.running)
    assert "pooler" not in {each.holder.what for each in world.store.allocations.all()}
    assert {client.port for client in world.datastore_clients.clients} == {one.port}
    assert VAR not in world.environment()
    assert world.environment()["DATABASE_URL"] == one.url.reveal()


def test_the_app_has_the_url_of_the_pooler_as_well(world: World) -> None:
    """With another port, which it may reach, and with the same login."""
    pooler = pooled(world)
    one = pooler.datastore
    assert pooler.port != one.port
    assert world.environment()[VAR] == one.url_at(pooler.port).reveal()
    assert world.environment()["DATABASE_URL"] == one.url.reveal()
    assert {client.port for client in world.datastore_clients.clients} == {one.port, pooler.port}
    assert world.poolers.answers(pooler)
    assert (pooler.connections, pooler.clients) == (15, 400)


def test_detaching_it_ends_it(world: World) -> None:
    """And nothing of it is left."""
    pooler = pooled(world, "POOL")
    assert world.environment()["POOL_URL"] == pooler.datastore.url_at(pooler.port).reveal()
    world.attachments.detach(ROOT, "shop", ["POOL"], world.progress)
    nothing_is_left(world, pooler.datastore)
    world.pooling.attach(ROOT, "shop", None, None, world.progress)
    assert VAR in world.environment()


def test_one_that_does_not_come_up_leaves_nothing(world: World) -> None:
    """The app is as it was."""
    one = made(world)
    world.poolers.fail = PaasError("pooler-not-started", "It did not answer.")
    with refused("pooler-not-started"):
        world.pooling.attach(ROOT, "shop", None, None, world.progress)
    nothing_is_left(world, one)


def test_an_app_that_does_not_come_up_with_it(world: World) -> None:
    """Nothing of the pooler is left."""
    one = made(world)
    before = world.environment()
    command = next(each.argv[-1] for each in world.runtime.running.values() if each.app_id)
    world.runtime.break_new(command, Behaviour(State.CRASHED, exits=1))
    with pytest.raises(PaasError):
        world.pooling.attach(ROOT, "shop", None, None, world.progress)
    assert world.environment() == before
    nothing_is_left(world, one)


def test_reconcile_starts_one_that_is_gone(world: World) -> None:
    """And doctor says so before."""
    pooler = pooled(world)
    world.runtime.running.pop(world.poolers.workload(pooler).id)
    messages = [finding.message for finding in world.doctor.look()]
    assert f"The connection pooler of {pooler.datastore.name} does not answer." in messages
    world.reconcile.run(world.progress)
    assert world.poolers.answers(pooler)


def test_reconcile_removes_one_that_no_attachment_needs(world: World) -> None:
    """Of a command that was killed: before the attachment was recorded, or after it was removed."""
    pooler = pooled(world)
    one = pooler.datastore
    world.store.datastores.detach(
        [each for each in world.store.datastores.attachments() if each.pooled]
    )
    world.reconcile.run(world.progress)
    assert world.store.poolers.of(one) is None
    assert world.poolers.files == set()


def test_a_change_of_the_login_reaches_it(world: World) -> None:
    """Before the apps use the new one; in the end it knows no other."""
    pooler = pooled(world)
    kind = DatastoreKind.POSTGRESQL
    world.rotation.rotate(ROOT, "shop", None, kind, world.progress, force=False)
    one = world.store.datastores.find(pooler.datastore.name)
    assert one is not None
    assert one.login != pooler.datastore.login
    assert world.poolers.known[one.id] == {one.login}
    assert world.environment()[VAR] == one.url_at(pooler.port).reveal()


def test_destroying_the_datastore_takes_it_along(world: World) -> None:
    """Detached, as any; and all of its numbers are free."""
    one = pooled(world).datastore
    world.attachments.detach(ROOT, "shop", [one.name], world.progress)
    world.datastores.destroy(ROOT, "shop", one.name, one.name, world.progress)
    assert {each.holder.what for each in world.store.allocations.all()} & {
        "pooler",
        "datastore",
    } == set()
    assert not any("datastore" in id for id in world.runtime.running)


def test_its_port_is_recorded_again(world: World) -> None:
    """Whatever became of the records; and no other's is kept."""
    pooler = pooled(world)
    before = [each for each in world.store.allocations.all() if each.holder.what == "pooler"]
    assert [each.number for each in before] == [pooler.port]
    world.store.allocations.free(before[0].holder)
    world.store.allocations.settle()
    assert before[0] in world.store.allocations.all()
    world.store.poolers.forget(pooler.datastore)
    assert world.store.poolers.add(pooler.datastore, lambda _port: True).port == pooler.port


def test_an_app_shares_what_belongs_to_it(world: World) -> None:
    """Another app's datastore is pooled by that app; and a name is given once."""
    one = made(world)
    world.app("blog")
    world.attachments.attach(ROOT, "blog", one.name, None, world.progress)
    with refused("datastore-of-another-app"):
        world.pooling.attach(ROOT, "blog", None, None, world.progress)
    with refused("attachment-taken"):
        world.pooling.attach(ROOT, "shop", None, AttachmentName("DATABASE"), world.progress)


def test_only_root_has_it_installed(world: World) -> None:
    """A user is told who installs it."""
    alice = world.user("alice")
    world.app(actor=alice)
    order = (DatastoreKind.POSTGRESQL, SMALL)
    world.datastores.create(ROOT, "shop", order, None, world.progress)
    world.poolers.has_program = False
    with refused("datastore-not-installed"):
        world.pooling.attach(alice, "shop", None, None, world.progress)
    world.pooling.attach(ROOT, "shop", None, None, world.progress)
    assert world.poolers.has_program


def test_what_users_see_of_it(world: World) -> None:
    """Its connections, and whether it answers; nothing where there is none."""
    one = made(world)
    assert world.pooling.shown(one) is None
    world.pooling.attach(ROOT, "shop", None, None, world.progress)
    pooler = world.store.poolers.of(one)
    assert world.pooling.shown(one) == (pooler, True)
    world.runtime.lose_all()
    assert world.pooling.shown(one) == (pooler, False)
