"""Followers of PostgreSQL datastores, over fakes."""

import pytest

from paas.domain.datastores.datastores import Datastore, DatastoreState
from paas.domain.datastores.kinds import AttachmentName, DatastoreKind
from paas.domain.datastores.plans import SMALL, STANDARD, Plan
from paas.domain.values.errors import PaasError
from paas.interfaces import ServerLock
from tests.fakes.world import ROOT, World
from tests.unit.datastores.test_datastores import create, refused
from tests.unit.datastores.test_declared import declare

LEADER, FOLLOWER = "postgresql-quiet-otter-1234", "postgresql-loud-crow-5678"
VAR = "HEROKU_POSTGRESQL_AQUA_URL"


class KilledError(BaseException):
    """Stands for the end of the process."""


@pytest.fixture
def leader(world: World) -> Datastore:
    """A datastore of a deployed app."""
    world.app()
    world.push()
    made = create(world)
    world.random_name = "loud-crow-5678"
    return made


@pytest.fixture
def follower(world: World, leader: Datastore) -> Datastore:
    """One that follows it."""
    return follow(world)


def follow(
    world: World, wanted: str | None = None, plan: Plan | None = None, alias: str | None = None
) -> Datastore:
    """The command, by root."""
    name = AttachmentName(alias) if alias else None
    return world.followers.follow(
        ROOT, "shop", wanted, plan, name, world.progress, world.progress.step
    )


def unfollow(world: World) -> None:
    """The command, by root."""
    world.followers.unfollow(ROOT, "shop", FOLLOWER, world.progress)


def present(world: World, name: str = FOLLOWER) -> Datastore:
    """It as it is now."""
    found = world.store.datastores.find(name)
    assert found is not None
    return found


def nothing_is_left(world: World) -> None:
    """Of the follower; its leader is as it was."""
    assert [one.name for one in world.store.datastores.all()] == [LEADER]
    assert world.datastore_followers.admitted.get(LEADER, set()) == set()
    assert world.datastore_server.files == {present(world, LEADER).id}
    assert FOLLOWER not in {one.holder.id for one in world.store.allocations.all()}
    assert {client.port for client in world.datastore_clients.clients} <= {
        present(world, LEADER).port
    }


def test_it_has_the_login_of_its_leader_at_another_port(world: World, leader: Datastore) -> None:
    """Under a color alone, and it may reach its leader, which does not reach it."""
    made = follow(world, "DATABASE_URL")
    assert made.following is not None
    assert (made.name, made.leader) == (FOLLOWER, present(world, LEADER))
    assert present(world).state is DatastoreState.READY
    assert (made.login, made.database, made.plan) == (leader.login, leader.database, leader.plan)
    assert made.password == leader.password != made.following.password
    assert (made.host, made.port, made.uid) != (leader.host, leader.port, leader.uid)
    env = world.environment()
    assert env[VAR] == made.url.reveal()
    assert env["DATABASE_URL"] == leader.url.reveal()
    reached = {(client.uid, client.port) for client in world.datastore_clients.clients}
    assert (made.uid, leader.port) in reached
    assert (leader.uid, made.port) not in reached
    assert world.datastore_followers.copied == {FOLLOWER: LEADER}


def test_it_is_never_the_first_that_an_app_finds(world: World, leader: Datastore) -> None:
    """Not even where that name is free; a name of one's own is."""
    world.app("blog")
    world.push("blog")
    follow(world, alias="READS")
    assert world.environment()["READS_URL"] == present(world).url.reveal()
    world.attachments.attach(ROOT, "blog", FOLLOWER, None, world.progress)
    names = {one.name for one in world.store.datastores.attachments() if one.app_id != 1}
    assert names == {"HEROKU_POSTGRESQL_AMBER"}


def test_what_cannot_be_followed(world: World, follower: Datastore) -> None:
    """A follower, and one with more connections than the follower would have."""
    with refused(world, "datastore-follows"):
        follow(world, FOLLOWER)
    world.random_name = "large-owl-1111"
    world.datastores.create(
        ROOT, "shop", (DatastoreKind.POSTGRESQL, STANDARD), None, world.progress
    )
    with refused(world, "follower-plan"):
        follow(world, "postgresql-large-owl-1111", SMALL)
    world.random_name = "large-owl-2222"
    assert follow(world, "DATABASE", STANDARD).plan is STANDARD


def test_it_has_no_backups_of_its_own(world: World, follower: Datastore) -> None:
    """So there is nothing to rehearse: its leader's are."""
    with refused(world, "datastore-follows"):
        world.archive_jobs.rehearse(ROOT, "shop", FOLLOWER, world.progress)


def test_without_room_for_the_copy(world: World, leader: Datastore) -> None:
    """Nothing is begun."""
    world.datastore_archives.room = (1_000, 1_000)
    with refused(world, "fork-room"):
        follow(world)
    nothing_is_left(world)


@pytest.mark.parametrize("error", [PaasError("follower-not-copied", "x"), KilledError()])
def test_one_that_is_not_copied_leaves_nothing(
    world: World, leader: Datastore, error: BaseException
) -> None:
    """Neither a place at its leader, nor a way to it."""
    world.datastore_followers.fail = error
    with pytest.raises(type(error)):
        follow(world)
    nothing_is_left(world)


def test_killed_at_once_while_it_was_copied(world: World, leader: Datastore) -> None:
    """Without a chance to tidy: reconcile does."""
    made = world.store.datastores.add(
        leader.name.replace("quiet-otter-1234", "loud-crow-5678"),  # type: ignore[arg-type]
        leader.kind,
        leader.version,
        leader.plan,
        app_id=leader.app_id,
        password=leader.password,
        now=world.clock.now(),
        is_free=lambda _port: True,
        leader=leader,
    )
    world.datastore_followers.admit(made)
    world.datastore_server.files.add(made.id)
    assert any("was interrupted" in one.message for one in world.doctor.look())
    world.reconcile.run(world.progress)
    nothing_is_left(world)


@pytest.mark.parametrize("leader_answers", [True, False])
def test_unfollowing_makes_it_one_of_its_own(
    world: World, follower: Datastore, *, leader_answers: bool
) -> None:
    """Its app is restarted with its own login; its leader keeps nothing for it, now or later."""
    leader = present(world, LEADER)
    world.clock.sleep(3_600)
    workload = world.datastore_server.workload(leader).id
    if not leader_answers:
        stopped = world.runtime.running.pop(workload)
    unfollow(world)
    own = present(world)
    assert (own.state, own.leader, own.login) == (
        DatastoreState.READY,
        None,
        "postgresql_loud_crow_5678",
    )
    assert own.password != leader.password
    assert own.created_at > follower.created_at
    assert world.datastore_server.logins[own.id] == {own.login: own.password.reveal()}
    assert world.environment()[VAR] == own.url.reveal()
    assert world.store.login_changes.under_way() == []
    reached = {(client.uid, client.port) for client in world.datastore_clients.clients}
    assert (own.uid, leader.port) not in reached
    if not leader_answers:
        assert world.datastore_followers.admitted[LEADER] == {FOLLOWER}
        world.runtime.running[workload] = stopped
        world.reconcile.run(world.progress)
    assert world.datastore_followers.admitted[LEADER] == set()
    with refused(world, "not-a-follower"):
        unfollow(world)


@pytest.mark.parametrize("again", ["command", "reconcile"])
def test_unfollowing_that_was_interrupted(world: World, follower: Datastore, again: str) -> None:
    """It is finished, whoever comes next; nobody takes it for what may be deleted."""
    world.datastore_followers.fail = KilledError()
    with pytest.raises(KilledError):
        unfollow(world)
    assert present(world).state is DatastoreState.UNFOLLOWING
    assert any(FOLLOWER in one.message for one in world.doctor.look())
    if again == "command":
        unfollow(world)
    else:
        world.reconcile.run(world.progress)
    own = present(world)
    assert (own.state, own.leader) == (DatastoreState.READY, None)
    assert world.environment()[VAR] == own.url.reveal()
    assert world.store.login_changes.under_way() == []
    assert not any(FOLLOWER in one.message for one in world.doctor.look())


def test_what_a_follower_refuses(world: World, follower: Datastore) -> None:
    """What writes, what its leader has, and what would make it the app's database."""
    kind = DatastoreKind.POSTGRESQL
    with refused(world, "datastore-follows"):
        world.attachments.promote(ROOT, "shop", FOLLOWER, kind, world.progress)
    with refused(world, "datastore-follows"):
        world.rotation.rotate(ROOT, "shop", FOLLOWER, kind, world.progress, force=False)
    with refused(world, "datastore-follows"):
        world.pooling.attach(ROOT, "shop", FOLLOWER, None, world.progress)
    with refused(world, "datastore-follows"):
        world.forks.fork(ROOT, "shop", FOLLOWER, None, None, world.progress, world.progress.step)
    assert present(world).leader is not None


def test_it_is_promoted_once_it_follows_no_longer(world: World, follower: Datastore) -> None:
    """And the former leader can then be destroyed."""
    unfollow(world)
    kind = DatastoreKind.POSTGRESQL
    world.attachments.promote(ROOT, "shop", VAR, kind, world.progress)
    assert world.environment()["DATABASE_URL"] == present(world).url.reveal()
    world.attachments.detach(ROOT, "shop", [LEADER], world.progress)
    world.datastores.destroy(ROOT, "shop", LEADER, LEADER, world.progress)


def test_a_leader_is_not_destroyed_before_its_followers(world: World, follower: Datastore) -> None:
    """Nor while one is left; the follower goes with all that its leader has for it."""
    world.attachments.detach(ROOT, "shop", [LEADER, FOLLOWER], world.progress)
    with refused(world, "datastore-followed"):
        world.datastores.destroy(ROOT, "shop", LEADER, LEADER, world.progress)
    world.datastores.destroy(ROOT, "shop", FOLLOWER, FOLLOWER, world.progress)
    nothing_is_left(world)
    world.datastores.destroy(ROOT, "shop", LEADER, LEADER, world.progress)


def test_an_app_is_destroyed_with_both(world: World, follower: Datastore) -> None:
    """Also if it was interrupted before either was removed."""
    world.store.datastores.give_up(world.store.datastores.all())
    world.reconcile.run(world.progress)
    assert world.store.datastores.all() == []
    assert world.datastore_server.files == set()


def test_its_leader_s_login_changes(world: World, follower: Datastore) -> None:
    """An app that has the follower alone is restarted, too."""
    world.app("blog")
    world.push("blog")
    world.attachments.attach(ROOT, "blog", FOLLOWER, AttachmentName("READS"), world.progress)
    kind = DatastoreKind.POSTGRESQL
    world.datastore_server.logins[follower.id] = {"former": "x"}
    world.rotation.rotate(ROOT, "shop", LEADER, kind, world.progress, force=False)
    leader, now = present(world, LEADER), present(world)
    assert (now.login, now.password) == (leader.login, leader.password)
    assert now.login.endswith("_1")
    assert world.environment("blog")["READS_URL"] == now.url.reveal()
    assert world.datastore_server.logins[follower.id] == {}


def test_one_that_lost_its_place_is_made_anew(world: World, follower: Datastore) -> None:
    """And the app's log says so; one that is interrupted goes on with that."""
    world.datastore_followers.lost.add(FOLLOWER)
    assert [one.name for one in world.followers.keeping.watch.unsettled()] == [FOLLOWER]
    world.datastore_followers.copied.clear()
    world.datastore_followers.fail = KilledError()
    with pytest.raises(KilledError):
        world.reconcile.run(world.progress)
    assert present(world).state is DatastoreState.COPYING
    world.reconcile.run(world.progress)
    assert present(world).state is DatastoreState.READY
    assert world.datastore_followers.copied == {FOLLOWER: LEADER}
    assert world.followers.keeping.watch.unsettled() == []
    said = [line.text for line in world.logs.tail(follower.app_id, 100)]
    assert any(f"{FOLLOWER} is too far behind {LEADER}" in text for text in said)
    assert any(f"{FOLLOWER} follows {LEADER} again" in text for text in said)


def test_one_whose_leader_is_down_is_left_alone(world: World, follower: Datastore) -> None:
    """Nothing of it is deleted as long as nobody knows."""
    leader = present(world, LEADER)
    world.runtime.running.pop(world.datastore_server.workload(leader).id)
    assert world.followers.keeping.watch.unsettled() == []
    world.datastore_followers.copied.clear()
    world.followers.keeping.run(world.progress)
    assert world.datastore_followers.copied == {}


def test_it_is_not_backed_up_twice(world: World, follower: Datastore) -> None:
    """Neither archived, dumped nor made read-only; once it follows no longer, as any."""
    assert [one.name for one in world.archive_schedule.archiving()] == [LEADER]
    assert FOLLOWER not in {one.name for one in world.dump_schedules.due()}
    world.clock.sleep(3 * 86_400)
    assert FOLLOWER not in {one.name for one, _ in world.dump_schedules.overdue()}
    status = world.dump_schedules.status(present(world))
    assert (status.schedule, status.overdue) == (None, None)
    assert world.archive_watch.restorable(present(world)) is None
    unfollow(world)
    assert [one.name for one in world.archive_schedule.archiving()] == [LEADER, FOLLOWER]
    assert world.archive_watch.restorable(present(world)) is not None


def test_locks_are_free_afterwards(world: World, follower: Datastore) -> None:
    """Of the app, and of logins."""
    unfollow(world)
    assert not world.locks.app_is_held(follower.app_id)
    assert not world.locks.server_is_held(ServerLock.LOGINS)


@pytest.mark.parametrize(
    "state", [DatastoreState.READY, DatastoreState.COPYING, DatastoreState.UNFOLLOWING]
)
def test_a_first_push_that_asks_for_a_datastore(world: World, state: DatastoreState) -> None:
    """Neither takes a follower for one, nor removes what somebody has begun to change."""
    world.app()
    create(world)
    world.random_name = "loud-crow-5678"
    follow(world)
    world.attachments.detach(ROOT, "shop", [LEADER, FOLLOWER], world.progress)
    world.store.datastores.set_state(present(world).name, state)
    declare(world, "heroku-postgresql")
    world.push()
    assert {one.name for one in world.store.datastores.all()} == {LEADER, FOLLOWER}
    attached = {one.datastore for one in world.store.datastores.attachments()}
    assert attached == {LEADER}


def test_it_has_the_settings_of_its_leader(world: World, leader: Datastore) -> None:
    """As they are when it is made."""
    world.store.datastores.set_setting(leader.name, "work_mem", "8192kB")
    assert follow(world).settings == {"work_mem": "8192kB"}


def test_neither_is_upgraded_to_another_version(world: World, follower: Datastore) -> None:
    """Copies of files of one version do not follow those of another."""
    for name, reference in ((LEADER, "datastore-followed"), (FOLLOWER, "datastore-follows")):
        with refused(world, reference):
            world.upgrades.upgrade(ROOT, "shop", name, None, world.progress)


def test_their_plans(world: World, follower: Datastore) -> None:
    """The follower's is the first to grow, and the last to shrink."""
    kind = DatastoreKind.POSTGRESQL
    for name, other, plan in ((LEADER, FOLLOWER, STANDARD), (FOLLOWER, LEADER, SMALL)):
        with refused(world, "follower-plan"):
            world.plan_changes.change(ROOT, "shop", name, (kind, plan), world.progress)
        world.plan_changes.change(ROOT, "shop", other, (kind, plan), world.progress)
        world.plan_changes.change(ROOT, "shop", name, (kind, plan), world.progress)
