"""Datastores in the store: numbers of their own, sealed passwords, attachments, their end."""

from collections.abc import Callable
from pathlib import Path

import pytest

from paas.domain.apps.apps import App
from paas.domain.datastores.datastores import Attachment, Client, Datastore, DatastoreState
from paas.domain.datastores.kinds import AttachmentName, DatastoreKind
from paas.domain.datastores.names import DatastoreName
from paas.domain.datastores.plans import SMALL
from paas.domain.server.allocations import Kind, datastore_holder
from paas.domain.values.errors import PaasError
from paas.domain.values.secret import Secret
from paas.store import Store
from tests.fakes.world import World

NAME = DatastoreName("postgresql-curly-1234")
CANARY = "canary-7d1c0a"


def add(
    world: World,
    app: App,
    name: DatastoreName = NAME,
    is_free: Callable[[int], bool] = lambda _port: True,
) -> Datastore:
    """A datastore of the app."""
    return world.store.datastores.add(
        name,
        DatastoreKind.POSTGRESQL,
        "15",
        SMALL,
        app_id=app.id,
        password=Secret(CANARY),
        now=world.clock.now(),
        is_free=is_free,
    )


def test_one_is_pending_with_numbers_of_its_own(world: World) -> None:
    """A uid that no app has, and a port of the datastores' range that nobody listens on."""
    app = world.app()
    made = add(world, app, is_free=lambda port: port > 31000)
    assert made == world.store.datastores.find(NAME)
    assert (made.state, made.port, made.uid) == (DatastoreState.PENDING, 31001, app.uid + 1)
    holder = datastore_holder(NAME)
    allocations = world.store.allocations
    assert allocations.holder(Kind.UID, made.uid) == holder
    assert allocations.holder(Kind.PORT, made.port) == holder
    allocations.settle()
    assert allocations.holder(Kind.PORT, made.port) == holder


def test_a_taken_name_takes_no_numbers(world: World) -> None:
    """Nothing of the call is left."""
    app = world.app()
    add(world, app)
    before = world.store.allocations.all()
    with pytest.raises(PaasError, match="There is already a datastore postgresql-curly-1234"):
        add(world, app)
    assert world.store.allocations.all() == before


def test_there_are_no_more_ports(world: World) -> None:
    """The uid is not taken either, and the message names the setting."""
    app = world.app()
    before = world.store.allocations.all()
    with pytest.raises(PaasError, match="All ports from 31000 to 31999 are taken"):
        add(world, app, is_free=lambda _port: False)
    assert world.store.allocations.all() == before


def test_the_password_is_sealed(world: World) -> None:
    """It is in no file of the store, also after the server's key has changed."""
    add(world, world.app())
    world.store.sealing.rotate()
    for file in Path(world.folder).glob("state.db*"):
        assert CANARY.encode() not in file.read_bytes()
    found = world.store.datastores.find(NAME)
    assert found is not None
    assert found.password.reveal() == CANARY


def test_what_an_app_finds_of_its_attachments(world: World) -> None:
    """The same URL under each name; nothing when they are detached."""
    app, store = world.app(), world.store.datastores
    made = add(world, app)
    both = [
        Attachment(app.id, AttachmentName("DATABASE"), NAME),
        Attachment(app.id, AttachmentName("STATS"), NAME),
    ]
    store.attach(both)
    assert store.attachments(app_id=app.id) == both
    assert store.attached_vars(app.id) == {"DATABASE_URL": made.url, "STATS_URL": made.url}
    assert store.clients() == [Client(app.uid, made.host, made.port)]
    with pytest.raises(PaasError, match="already has an attachment DATABASE"):
        store.attach(both[:1])
    store.detach(both)
    assert store.attached_vars(app.id) == {}
    assert store.clients() == []


def test_a_removed_app_has_no_attachments(world: World) -> None:
    """What belonged to another app is there as before."""
    shop, blog = world.app(), world.app("blog")
    add(world, shop)
    world.store.datastores.attach([Attachment(blog.id, AttachmentName("DATABASE"), NAME)])
    world.store.apps.remove(blog.id)
    assert world.store.datastores.attachments() == []
    assert world.store.datastores.of_app(shop.id)


def test_nothing_is_left_of_a_forgotten_one(world: World) -> None:
    """Its numbers are free, and its files may be deleted: its id is never used again."""
    app, store = world.app(), world.store
    made = add(world, app)
    store.datastores.set_state(NAME, DatastoreState.REMOVED)
    store.datastores.forget(NAME)
    assert store.datastores.all() == []
    assert store.gone.of_kind("datastore") == {str(made.id)}
    assert made.port not in store.allocations.taken(Kind.PORT)
    assert add(world, app).id != made.id


def test_one_that_ended_half_way_leaves_no_numbers(world: World) -> None:
    """Settling frees what no datastore has."""
    store: Store = world.store
    add(world, world.app())
    store.database.write("DELETE FROM datastores")
    store.allocations.settle()
    assert store.allocations.taken(Kind.PORT) == {29999}
