"""The audit trail as a service: recording with a full disk, and who sees what."""

from datetime import timedelta

import pytest

from paas.domain.audit.events import DONE, Attempt, End, State, Subject, end_of, via
from paas.domain.audit.views import AuditFilter
from paas.domain.people.actors import Actor
from paas.domain.people.origins import Origin
from paas.domain.people.users import Role
from paas.domain.values.errors import PaasError, disk_full, no_such_app, usage_error
from paas.domain.values.names import AppName
from paas.services.audit.audit import Begun
from tests.fakes.world import ROOT, World

EVERYTHING = AuditFilter()


def begin(world: World, user: str, command: str, app: str | None = None) -> Begun:
    """A change that a user begins."""
    attempt = Attempt(
        user=user,
        via="SHA256:x",
        address="203.0.113.7",
        subject=world.audit.subject(ROOT, app),
        command=command,
        words=("A",),
    )
    return world.audit.begin(attempt)


def change(world: World, user: str, command: str, app: str | None = None) -> None:
    """A change that a user begins and ends."""
    world.audit.end(begin(world, user, command, app), DONE)


def seen(world: World, actor: Actor, wanted: AuditFilter = EVERYTHING) -> list[str]:
    """The commands that somebody sees."""
    return [event.command for event in world.audit.latest(actor, wanted, 100)]


def test_a_change_is_two_lines_and_one_event(world: World) -> None:
    """With what it was about, its result and how long it took."""
    app = world.app()
    begun = begin(world, "alice", "config:set", "shop")
    world.clock.sleep(2)
    world.audit.end(begun, End(state=State.FAILED, status=1, error="app-failed"))
    (event,) = world.audit.latest(ROOT, EVERYTHING, 100)
    assert len(world.audit_trail.written) == 2
    assert (event.user, event.via, event.address) == ("alice", "SHA256:x", "203.0.113.7")
    assert (event.app, event.app_id, event.words) == ("shop", app.id, ("A",))
    assert (event.state, event.status, event.error) == (State.FAILED, 1, "app-failed")
    assert event.ms is not None
    assert 2_000 <= event.ms < 2_100


def test_a_change_whose_process_was_killed_is_unfinished(world: World) -> None:
    """Until then it runs."""
    begun = begin(world, "alice", "ps:restart")
    assert world.audit.latest(ROOT, EVERYTHING, 1)[0].state is State.RUNNING
    world.audit_trail.running.discard(begun.n)
    assert world.audit.latest(ROOT, EVERYTHING, 1)[0].state is State.UNFINISHED


def test_what_was_made_has_its_id_at_the_end(world: World) -> None:
    """And what was renamed is found by the app's id, under either name."""
    attempt = begin(world, "alice", "apps:create", "shop").attempt
    app = world.app()
    world.audit.end(Begun(1, attempt, 0.0), DONE)
    change(world, "root", "config:set", "shop")
    world.store.apps.rename(app.id, AppName("store"))
    assert world.audit.renamed(Subject("shop", app.id)) == Subject("store", app.id)
    assert world.audit.renamed(Subject("gone", 99)) == Subject("gone", 99)
    assert seen(world, ROOT, AuditFilter(app="store")) == ["config:set"]
    assert seen(world, ROOT, AuditFilter(app="shop")) == ["apps:create", "config:set"]


def test_who_sees_what(world: World) -> None:
    """Admins all; members their own, and those of the apps that they own."""
    alice, bob = world.user("alice"), world.user("bob")
    carol = world.user("carol", Role.ADMIN)
    world.app("shop", alice)
    change(world, "alice", "config:set", "shop")
    change(world, "bob", "ps:stop", "shop")
    change(world, "bob", "keys:add")
    change(world, "root", "doctor")
    assert seen(world, alice) == ["config:set", "ps:stop"]
    assert seen(world, bob) == ["ps:stop", "keys:add"]
    assert seen(world, carol) == ["config:set", "ps:stop", "keys:add", "doctor"]
    assert seen(world, carol, AuditFilter(user="bob")) == ["ps:stop", "keys:add"]
    with pytest.raises(PaasError, match="There is no app 'shop'"):
        seen(world, bob, AuditFilter(app="shop"))
    # That the app exists, its id would say.
    assert world.audit.latest(bob, EVERYTHING, 100)[0].app_id is None
    assert world.audit.latest(alice, EVERYTHING, 100)[1].app_id == 1


def test_the_history_of_an_app_that_is_gone(world: World) -> None:
    """By its last name, for an admin; a new app of that name has its own."""
    world.app()
    change(world, "alice", "config:set", "shop")
    world.apps.destroy(ROOT, "shop", "shop", world.progress)
    assert seen(world, ROOT, AuditFilter(app="shop")) == ["config:set"]
    world.app()
    assert seen(world, ROOT, AuditFilter(app="shop")) == []
    assert seen(world, ROOT) == ["config:set"]


def test_since_and_how_many(world: World) -> None:
    """The newest ones."""
    for number in range(5):
        change(world, "alice", f"c{number}")
        world.clock.sleep(60)
    since = world.clock.now() - timedelta(seconds=150)
    assert seen(world, ROOT, AuditFilter(since=since)) == ["c3", "c4"]
    assert [event.n for event in world.audit.latest(ROOT, EVERYTHING, 2)] == [7, 9]


def test_a_full_disk(world: World) -> None:
    """The reserve is used; without one, nothing begins."""

    world.audit_trail.failure = lambda: None if world.reserve.is_given_up else disk_full()
    with pytest.raises(PaasError, match="disk is full"):
        begin(world, "alice", "config:set")
    world.reserve.is_needed = True
    change(world, "alice", "apps:destroy")
    assert seen(world, ROOT) == ["apps:destroy"]


def test_following(world: World) -> None:
    """What there is; then each change when it ends, also one that began before, or is killed."""
    change(world, "alice", "first")
    early = begin(world, "alice", "early")
    earlier = begin(world, "alice", "earlier").n
    hidden = begin(world, "bob", "hidden")
    told: list[tuple[str, State]] = []
    killed = 0
    turns = 0

    def stop() -> bool:
        """What happens between two looks."""
        nonlocal killed, turns
        turns += 1
        if turns == 1:
            world.audit.end(early, DONE)
            world.audit.end(hidden, DONE)
            killed = begin(world, "alice", "killed").n
        if turns == 2:
            world.audit_trail.running -= {earlier, killed}
        return turns > 5

    following = world.audit.follow(world.user("alice"), EVERYTHING, 10, stop)
    told = [(event.command, event.state) for event in following]
    assert told == [
        ("first", State.DONE),
        ("early", State.RUNNING),
        ("earlier", State.RUNNING),
        ("early", State.DONE),
        ("earlier", State.UNFINISHED),
        ("killed", State.UNFINISHED),
    ]


def test_following_ends_with_the_access(world: World) -> None:
    """An owner who is one no longer sees nothing more of the app."""
    alice = world.user("alice")
    assert alice.user is not None
    holder = alice.user.as_holder
    app = world.app("shop", alice)
    turns = 0

    def stop() -> bool:
        """Another change; the access is withdrawn before the second one is reported."""
        nonlocal turns
        turns += 1
        change(world, "root", f"c{turns}", "shop")
        if turns == 2:
            world.store.grants.remove(app.id, holder)
        return turns > 4

    following = world.audit.follow(alice, EVERYTHING, 10, stop)
    assert [event.command for event in following] == ["c1"]


def test_only_admins_check_it_and_doctor_does(world: World) -> None:
    """With the place of the first wrong line."""
    for _ in range(3):
        change(world, "alice", "config:set")
    with pytest.raises(PaasError, match="Only an admin"):
        world.audit.verify(world.user("alice"))
    assert world.audit.verify(ROOT).lines == 6
    assert world.audit.findings() == []
    world.audit_trail.written[2] = world.audit_trail.written[2].replace(b"alice", b"carol")
    assert world.audit.verify(ROOT).place == "line 3"
    (finding,) = [one for one in world.doctor.look() if one.check == "audit"]
    assert "line 3: it was changed after it was written" in finding.message
    # A line that is damaged is not shown, and hides no other.
    assert len(seen(world, ROOT)) == 2


def test_what_is_refused() -> None:
    """Not allowed, not there, or asked for in a wrong way; anything else has failed."""
    refused = [no_such_app("shop"), usage_error("arguments", "Too many."), admins_only()]
    assert {end_of(error).state for error in refused} == {State.REFUSED}
    assert end_of(disk_full()) == End(state=State.FAILED, status=1, error="disk-full")


def admins_only() -> PaasError:
    """The refusal of what is for admins."""
    return PaasError("admins-only", "Only an admin may do this.")


def test_how_somebody_came_in(world: World) -> None:
    """A key or a certificate; for root, who became root."""
    alice = world.user("alice")
    assert via(alice, Origin(key="SHA256:x")) == "SHA256:x"
    assert via(alice, Origin(ca="SHA256:y")) == "ca:SHA256:y"
    assert via(alice, Origin()) == "ssh"
    assert via(alice, Origin(token="Ab12Cd34")) == "token:Ab12Cd34 https"
    assert via(alice, Origin(key="SHA256:x", token="Ab12Cd34")) == "token:Ab12Cd34 SHA256:x"
    assert via(ROOT, Origin(login="carol")) == "sudo:carol"
    assert via(ROOT, Origin()) == "root"
