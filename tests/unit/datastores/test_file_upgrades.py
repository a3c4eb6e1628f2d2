"""Files of datastores whose programs the distribution has replaced."""

import pytest

from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.datastores.plans import SMALL
from tests.fakes.world import ROOT, World


@pytest.mark.parametrize(
    ("kind", "after"), [(DatastoreKind.MYSQL, "11.8"), (DatastoreKind.POSTGRESQL, "10.11")]
)
def test_only_mariadb_follows_by_itself(world: World, kind: DatastoreKind, after: str) -> None:
    """At the server's start, once; a PostgreSQL stays what it is until pg:upgrade."""
    world.app()
    world.datastore_server.version = "10.11"
    name = world.datastores.create(ROOT, "shop", (kind, SMALL), None, world.progress).name
    world.datastore_server.version = "11.8"
    mended = world.reconcile.run(world.progress)
    found = world.store.datastores.find(name)
    assert found is not None
    assert found.version == after
    again = world.reconcile.run(world.progress)
    assert mended - again == (1 if kind is DatastoreKind.MYSQL else 0)
