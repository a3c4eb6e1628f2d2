"""Datastores from dumps in the target, with nothing of the server that made them; over fakes."""

import pytest

from paas.domain.datastores.datastores import DatastoreState
from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.datastores.plans import STANDARD
from paas.domain.datastores.redis import POLICY, Policy
from paas.domain.people.actors import Actor
from paas.domain.people.users import Role, User
from paas.domain.values.errors import PaasError
from paas.domain.values.names import UserName
from tests.fakes.world import ROOT, World
from tests.unit.datastores.test_backup_commands import printed
from tests.unit.datastores.test_datastores import refused

DATA = b"PGDMP of the server that is lost"


@pytest.fixture(params=[DatastoreKind.MYSQL, DatastoreKind.REDIS])
def kept(world: World, request: pytest.FixtureRequest) -> str:
    """The name of a backup in the target whose datastore is gone."""
    world.app()
    order = (request.param, STANDARD)
    found = world.datastores.create(ROOT, "shop", order, None, world.progress)
    world.datastore_dumps.content[found.name] = DATA
    world.store.datastores.set_setting(found.name, POLICY, Policy.ALLKEYS_LRU)
    world.dumps.capture(ROOT, "shop", None, request.param, world.progress)
    for one in world.store.datastores.attachments():
        world.attachments.detach(ROOT, "shop", [one.name], world.progress)
    world.datastores.destroy(ROOT, "shop", found.name, found.name, world.progress)
    (stored,) = world.dump_recovery.kept(ROOT)
    assert (stored.note.app, stored.note.plan, stored.is_here) == ("shop", STANDARD, False)
    return str(stored.name)


def recover(world: World, name: str) -> None:
    """By root, for the app shop."""
    world.dump_recovery.recover(ROOT, "shop", name, None, world.progress, lambda _name: None)


def test_it_comes_back(world: World, kept: str, capsys: pytest.CaptureFixture[str]) -> None:
    """As large as it was, attached, with what it had; the backup stays."""
    assert kept in printed(world, capsys, "backups:recover")
    recover(world, kept)
    (found,) = world.store.datastores.all()
    assert (found.state, found.plan) == (DatastoreState.READY, STANDARD)
    is_redis = found.kind is DatastoreKind.REDIS
    assert found.settings == ({POLICY: Policy.ALLKEYS_LRU} if is_redis else {})
    assert world.datastore_dumps.content[found.name] == DATA
    assert {one.datastore for one in world.store.datastores.attachments()} == {found.name}
    assert [str(one.name) for one in world.dump_recovery.kept(ROOT)] == [kept]


def test_nothing_is_made_of_what_cannot_be_read(world: World, kept: str) -> None:
    """Damaged, or not there, or not whole."""
    objects = world.backup_targets.own
    name = f"datastores/{kept}.dump.age"
    objects.damaged.add(name)
    with refused(world, "backup-damaged"):
        recover(world, kept)
    objects.damaged.clear()
    objects.kept[name] = b"half"
    with refused(world, "dump-not-loaded"):
        recover(world, kept)
    objects.delete(name)
    with refused(world, "backup-missing"):
        recover(world, kept)
    with refused(world, "dump-name"):
        recover(world, "mysql-curly-1234/b1")
    assert world.store.datastores.all() == []


def test_without_the_note(world: World, kept: str) -> None:
    """Its name tells the kind."""
    objects = world.backup_targets.own
    for name in [one for one in objects.kept if one.startswith("dump-notes/")]:
        objects.delete(name)
    recover(world, kept)
    assert len(world.store.datastores.all()) == 1


def test_not_for_everybody(world: World, kept: str) -> None:
    """Backups of all apps are in the target."""
    member = Actor(User(UserName("ann"), Role.MEMBER))
    with pytest.raises(PaasError, check=lambda error: error.reference == "admins-only"):
        world.dump_recovery.kept(member)
