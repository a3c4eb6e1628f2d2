"""Changing a datastore's login, over fakes: every app gets it; an interruption loses nothing."""

import pytest

from paas.domain.datastores.datastores import Datastore
from paas.domain.datastores.kinds import AttachmentName, DatastoreKind
from paas.domain.releases.releases import State
from paas.domain.values.errors import PaasError
from paas.domain.values.secret import Secret
from paas.interfaces import ServerLock
from tests.fakes.output import FakeProgress
from tests.fakes.runtime import Behaviour
from tests.fakes.world import ROOT, World
from tests.unit.datastores.test_datastores import NAME, create, refused


class KilledError(BaseException):
    """Stands for the end of the process."""


class Dying(FakeProgress):
    """Its process ends as soon as it has said this."""

    def __init__(self, said: str) -> None:
        super().__init__()
        self._said = said

    def step(self, text: str) -> None:
        super().step(text)
        if self._said in text:
            raise KilledError


@pytest.fixture
def made(world: World) -> Datastore:
    """A datastore of shop, attached to blog too; both are deployed."""
    for name in ("shop", "blog"):
        world.app(name)
        world.push(name)
    create(world)
    world.attachments.attach(ROOT, "blog", NAME, AttachmentName("SHOP"), world.progress)
    return present(world)


def rotate(world: World, progress: FakeProgress | None = None, *, force: bool = False) -> None:
    """The command, by root."""
    kind = DatastoreKind.POSTGRESQL
    world.rotation.rotate(ROOT, "shop", None, kind, progress or world.progress, force=force)


def present(world: World) -> Datastore:
    """The datastore as it is now."""
    (found,) = world.store.datastores.all()
    return found


def env_of(world: World, app_id: int, name: str) -> str:
    """What the running web.1 of an app has there."""
    (found,) = [s for s in world.runtime.running.values() if s.app_id == app_id]
    return found.env[name].reveal()


def test_every_app_has_the_new_login_and_the_former_is_gone(world: World, made: Datastore) -> None:
    """With another password, the same database, and no release."""
    before = [len(world.store.releases.of_app(app_id)) for app_id in (1, 2)]
    rotate(world)
    found = present(world)
    assert (found.login, found.database) == (f"{made.login}_1", made.database)
    assert found.password.reveal() != made.password.reveal()
    assert env_of(world, 1, "DATABASE_URL") == env_of(world, 2, "SHOP_URL") == found.url.reveal()
    assert world.datastore_server.logins[made.id] == {found.login: found.password.reveal()}
    assert [len(world.store.releases.of_app(app_id)) for app_id in (1, 2)] == before
    assert world.store.login_changes.under_way() == []
    rotate(world)
    assert present(world).login == f"{made.login}_2"


def test_a_rollback_brings_no_former_password_back(world: World, made: Datastore) -> None:
    """Also to a release of the time before."""
    rotate(world)
    world.releases.rollback(ROOT, "shop", 1, world.progress)
    assert env_of(world, 1, "DATABASE_URL") == present(world).url.reveal() != made.url.reveal()


def test_an_app_that_does_not_come_up(world: World, made: Datastore) -> None:
    """Keeps running with the former login, which ends when the same command succeeds."""
    world.runtime.behaviours["serve"] = Behaviour(State.CRASHED, exits=1)
    with refused(world, "login-still-used"):
        rotate(world)
    assert {*world.datastore_server.logins[made.id]} == {made.login, present(world).login}
    (finding,) = [one for one in world.doctor.diagnosis.findings() if one.check == "datastores"]
    assert finding.message == f"The former login of {NAME} still works."
    del world.runtime.behaviours["serve"]
    rotate(world)
    assert present(world).login == f"{made.login}_1"
    assert {*world.datastore_server.logins[made.id]} == {present(world).login}


def test_force_ends_the_former_login_at_once(world: World, made: Datastore) -> None:
    """Whatever becomes of an app that does not come up."""
    world.runtime.behaviours["serve"] = Behaviour(State.CRASHED, exits=1)
    rotate(world, force=True)
    assert {*world.datastore_server.logins[made.id]} == {f"{made.login}_1"}
    assert world.store.login_changes.under_way() == []


def test_a_server_that_makes_no_login(world: World, made: Datastore) -> None:
    """Nothing changes."""
    world.datastore_server.fail = PaasError("datastore-down", "It does not answer.")
    with refused(world, "datastore-down"):
        rotate(world)
    assert present(world) == made
    assert world.store.login_changes.under_way() == []


@pytest.mark.parametrize("said", ["has the login", "Restarted shop", "Restarted blog"])
def test_killed_at_any_point(world: World, made: Datastore, said: str) -> None:
    """The login that apps get works, and reconcile leaves it alone."""
    with pytest.raises(KilledError):
        rotate(world, Dying(said))
    now = present(world)
    assert world.datastore_server.logins[made.id][now.login] == now.password.reveal()
    assert {*world.datastore_server.logins[made.id]} == {made.login, now.login}
    assert world.reconcile.run(world.progress) == 1
    assert present(world) == now
    assert world.datastore_server.logins[made.id] == {now.login: now.password.reveal()}
    assert env_of(world, 1, "DATABASE_URL") == env_of(world, 2, "SHOP_URL") == now.url.reveal()
    assert world.reconcile.run(world.progress) == 0


@pytest.mark.parametrize("is_made", [False, True])
def test_killed_before_apps_get_the_new_login(
    world: World, made: Datastore, *, is_made: bool
) -> None:
    """The former one remains, and is the only one."""
    world.store.login_changes.begin(made)
    if is_made:
        world.datastore_server.add_login(made.with_next_login(Secret("new")))
    running = dict(world.runtime.running)
    assert world.reconcile.run(world.progress) == 1
    assert present(world) == made
    assert {*world.datastore_server.logins[made.id]} == {made.login}
    assert world.runtime.running == running
    rotate(world)


def test_one_that_is_under_way_is_left_alone(world: World, made: Datastore) -> None:
    """By reconcile and doctor."""
    world.store.login_changes.begin(made)
    with world.locks.server(ServerLock.LOGINS, "alice changes a login"):
        assert world.rotation.finish(world.progress) == 0
        assert [one for one in world.doctor.diagnosis.findings() if one.check == "datastores"] == []
    assert world.rotation.finish(world.progress) == 1


def test_only_where_it_belongs(world: World, made: Datastore) -> None:
    """An app that has it attached cannot change the login of another app's."""
    assert made
    kind = DatastoreKind.POSTGRESQL
    with refused(world, "datastore-of-another-app"):
        world.rotation.rotate(ROOT, "blog", None, kind, world.progress, force=False)
