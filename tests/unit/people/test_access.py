"""Who sees and does what: apps, keys and pushes of several users."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from paas.domain.git.refs import NO_COMMIT, RefUpdate, parse_update
from paas.domain.people.access import Holder
from paas.domain.people.actors import Actor
from paas.domain.people.expiry import Expiry
from paas.domain.people.origins import Origin
from paas.domain.people.permissions import AppRole, Permission
from paas.domain.people.users import Role
from paas.domain.values.errors import EXIT_NO_APP, PaasError
from paas.domain.values.names import AppName, BranchName, UserName
from paas.interfaces import Quarantine
from tests.fakes.world import ROOT, World

COMMIT = "a" * 40


def test_members_see_their_own_apps(world: World) -> None:
    """Another's app looks exactly like one that does not exist."""
    alice, bob = world.user("alice"), world.user("bob")
    world.app("shop", alice)
    assert [app.name for app in world.apps.visible(alice)] == ["shop"]
    assert world.apps.visible(bob) == []
    messages = []
    for name in ("shop", "nope"):
        with pytest.raises(PaasError) as caught:
            world.apps.find(bob, name, to=Permission.VIEW)
        assert caught.value.exit_code == EXIT_NO_APP
        messages.append(caught.value.message.replace(name, "NAME"))
    assert messages[0] == messages[1]


USES: tuple[tuple[Permission, Callable[[World, Actor], object]], ...] = (
    (Permission.VIEW, lambda w, a: w.apps.info(a, "shop")),
    (Permission.VIEW, lambda w, a: w.processes.listing(a, "shop")),
    (Permission.DEPLOY, lambda w, a: w.pushes.to_push(a, AppName("shop"), w.progress)),
    (Permission.DEPLOY, lambda w, a: w.pushes.to_fetch(a, AppName("shop"))),
    (Permission.DEPLOY, lambda w, a: w.releases.rollback(a, "shop", None, w.progress)),
    (Permission.CONFIGURE, lambda w, a: w.config.all(a, "shop")),
    (Permission.CONFIGURE, lambda w, a: w.domains.clear(a, "shop", w.progress)),
    (Permission.OPERATE, lambda w, a: w.processes.restart(a, "shop", [], w.progress)),
    (Permission.OWN, lambda w, a: w.apps.destroy(a, "shop", None, w.progress)),
)


@pytest.mark.parametrize("role", AppRole)
@pytest.mark.parametrize(("permission", "use"), USES)
def test_each_use_is_refused_without_its_permission(
    world: World, permission: Permission, use: Callable[[World, Actor], object], role: AppRole
) -> None:
    """Whoever sees the app hears that they may not, and who could change that."""
    world.app("shop", world.user("alice"))
    bob = world.user("bob")
    world.access.add(world.actor("alice"), "shop", Holder("bob"), role)
    try:
        use(world, bob)
        refused = None
    except PaasError as error:
        refused = error if error.reference == "needs-role" else None
    assert (refused is None) == role.may(permission)
    if refused is not None:
        assert f"You are a {role} of shop" in refused.message
        assert "Ask alice" in (refused.hint or "")
        assert " a owner" not in f"{refused.message} {refused.hint}"


def test_admins_see_all(world: World) -> None:
    """An admin may use every app."""
    world.app("shop", world.user("alice"))
    assert len(world.apps.visible(world.user("carol", Role.ADMIN))) == 1


def test_first_push_creates_the_app(world: World) -> None:
    """A push to a free name makes the app, owned by the pusher; a foreign one is hidden."""
    alice, bob = world.user("alice"), world.user("bob")
    app = world.pushes.to_push(alice, AppName("shop"), world.progress)
    assert app.owner == "alice"
    with pytest.raises(PaasError) as caught:
        world.pushes.to_push(bob, AppName("shop"), world.progress)
    assert caught.value.exit_code == EXIT_NO_APP


@pytest.mark.parametrize(
    ("role", "reference"), [(AppRole.VIEWER, "needs-role"), (None, "no-such-app")]
)
def test_access_that_is_taken_during_a_push(
    world: World, role: AppRole | None, reference: str
) -> None:
    """What git has sent already is refused by the hook, and nothing is deployed."""
    alice, bob = world.user("alice"), world.user("bob")
    app = world.app("shop", alice)
    world.access.add(alice, "shop", Holder("bob"), AppRole.DEPLOYER)
    world.pushes.to_push(bob, AppName("shop"), world.progress)
    if role is None:
        world.access.remove(alice, "shop", Holder("bob"))
    else:
        world.access.update(alice, "shop", Holder("bob"), role)
    update = RefUpdate(NO_COMMIT, COMMIT, "refs/heads/main")
    with pytest.raises(PaasError) as caught:
        world.pushes.receive(bob, app.id, [update], Quarantine(world.folder), world.progress)
    assert caught.value.reference == reference
    assert world.store.releases.of_app(app.id) == []


def test_other_branches_are_stored(world: World, tmp_path: object) -> None:
    """Only a deploy branch is deployed; the message says how to deploy the other."""
    _receive(world, RefUpdate(NO_COMMIT, COMMIT, "refs/heads/feature"))
    assert world.store.releases.of_app(1) == []
    assert "       To deploy it: git push deploy feature:main" in world.progress.lines


@pytest.mark.parametrize("ref", ["refs/heads/main", "refs/heads/master"])
def test_deploy_branches(world: World, ref: str) -> None:
    """main and master are deployed."""
    _receive(world, RefUpdate(NO_COMMIT, COMMIT, ref))
    assert len(world.store.releases.of_app(1)) == 1


def test_chosen_deploy_branch(world: World) -> None:
    """With git:set deploy-branch only that one is."""
    world.app()
    world.apps.set_deploy_branch(ROOT, "shop", BranchName("live"))
    _receive(world, RefUpdate(NO_COMMIT, COMMIT, "refs/heads/main"))
    assert world.store.releases.of_app(1) == []
    _receive(world, RefUpdate(NO_COMMIT, COMMIT, "refs/heads/live"))
    assert len(world.store.releases.of_app(1)) == 1


@pytest.mark.parametrize(
    "updates",
    [
        [RefUpdate(COMMIT, NO_COMMIT, "refs/heads/main")],
        [
            RefUpdate(NO_COMMIT, COMMIT, "refs/heads/main"),
            RefUpdate(NO_COMMIT, COMMIT, "refs/heads/master"),
        ],
    ],
)
def test_refused_pushes(world: World, updates: list[RefUpdate]) -> None:
    """Deleting the deploy branch, or deploying two at once."""
    with pytest.raises(PaasError):
        _receive(world, *updates)
    assert world.store.releases.of_app(1) == []


def test_what_git_would_refuse_is_not_built(world: World) -> None:
    """A dry run says so, too. Where nothing is deployed and something deleted, git judges alone."""
    world.refs.will = PaasError("ref-in-the-way", "git cannot store it.")
    main, other = (RefUpdate(NO_COMMIT, COMMIT, f"refs/heads/{name}") for name in ("main", "x/y"))
    app = world.app()
    for options in ([], ["dry-run"]):
        with pytest.raises(PaasError, match="git cannot store it"):
            world.pushes.receive(
                ROOT,
                app.id,
                [main, other],
                Quarantine(world.folder),
                world.progress,
                options,
            )
    assert world.store.releases.of_app(app.id) == []
    assert world.store.builds.of_app(app.id) == []
    assert not any("Stored" in line for line in world.progress.lines)
    _receive(world, RefUpdate(COMMIT, NO_COMMIT, "refs/heads/x"), other)


@pytest.mark.parametrize("ref", ["HEAD", "main", "refs/main", "refs/heads/a b", "refs/heads/"])
def test_names_that_git_never_stores(ref: str) -> None:
    """Git runs the hook first, and then calls them funny."""
    with pytest.raises(PaasError, match="git does not accept the name"):
        parse_update(f"{NO_COMMIT} {COMMIT} {ref}")
    odd = parse_update(f"{NO_COMMIT} {COMMIT} refs/heads/b\u2028\xa0")
    assert odd.ref == "refs/heads/b\u2028\xa0"


def test_destroy_needs_the_name_again(world: World) -> None:
    """Without --confirm NAME nothing is removed; with it everything is."""
    world.app()
    world.push()
    for confirm in (None, "other"):
        with pytest.raises(PaasError):
            world.apps.destroy(ROOT, "shop", confirm, world.progress)
    assert len(world.apps.visible(ROOT)) == 1
    world.apps.destroy(ROOT, "shop", "shop", world.progress)
    assert world.apps.visible(ROOT) == []
    assert world.runtime.running == {}
    assert world.slugs.frozen == set()
    assert world.proxy.sites() == set()
    assert world.repository.created == set()


def test_rename_moves_the_site(world: World) -> None:
    """The new name serves, the old one does not, the instance keeps running."""
    world.app()
    world.push()
    world.apps.rename(ROOT, "shop", AppName("store"), world.progress)
    assert world.proxy.ports("store.example.com") == (5000,)
    assert world.proxy.ports("shop.example.com") is None
    world.app("other")
    with pytest.raises(PaasError):
        world.apps.rename(ROOT, "store", AppName("other"), world.progress)


def test_keys(world: World) -> None:
    """A key belongs to one user; members manage their own only."""
    world.keys.add(ROOT, UserName("alice"), "AAA", None)
    alice = world.store.users.find(UserName("alice"))
    assert alice is not None
    assert alice.role is Role.MEMBER
    assert world.key_file.published == ["alice AAA"]
    for user in ("alice", "bob"):
        with pytest.raises(PaasError):
            world.keys.add(ROOT, UserName(user), "AAA", None)
    member = world.user("alice")
    with pytest.raises(PaasError):
        world.keys.add(member, UserName("bob"), "BBB", None)
    with pytest.raises(PaasError):
        world.keys.add(member, UserName("alice"), "BBB", Role.ADMIN)
    world.keys.add(member, UserName("alice"), "BBB", None)
    world.keys.add(ROOT, UserName("bob"), "CCC", None)
    assert len(world.keys.listing(member)) == 2
    with pytest.raises(PaasError):
        world.keys.remove(member, "SHA256:CCC")
    world.keys.remove(member, "SHA256:AAA")
    assert world.key_file.published == ["alice BBB", "bob CCC"]


def test_the_users_are_published_where_there_is_a_ca(world: World) -> None:
    """A certificate names one of them."""
    world.key_file.has_authority = True
    world.keys.add(ROOT, UserName("bob"), "BBB", None)
    world.keys.add(ROOT, UserName("alice"), "AAA", None)
    assert world.key_file.users == ["alice", "bob"]
    world.key_file.users = [UserName("mallory")]
    assert [finding.check for finding in world.doctor.diagnosis.findings()] == ["keys"]
    world.reconcile.run(world.progress)
    assert world.key_file.users == ["alice", "bob"]
    world.users.add(ROOT, UserName("carol"), Role.MEMBER)
    assert world.key_file.users == ["alice", "bob", "carol"]
    world.users.remove(ROOT, UserName("bob"))
    assert (world.key_file.users, world.key_file.published) == (["alice", "carol"], ["alice AAA"])


def test_a_certificate_adds_no_key(world: World) -> None:
    """Which would outlive it; an admin's may."""
    world.keys.add(ROOT, UserName("alice"), "AAA", None)
    origin, alice = Origin(ca="SHA256:CA"), UserName("alice")
    with pytest.raises(PaasError, match="outlive"):
        world.keys.add(world.actor("alice"), alice, "BBB", None, origin=origin)
    admin = world.user("carol", Role.ADMIN)
    assert world.keys.add(admin, alice, "BBB", None, origin=origin).expires is None


def test_keys_with_an_expiry(world: World) -> None:
    """--expires moves that of a key that is there, also to never; the role changes with it."""
    alice, now = UserName("alice"), world.clock.now()
    week, year = Expiry(now + timedelta(weeks=1)), Expiry(now + timedelta(days=365))
    world.keys.add(ROOT, alice, "AAA", None, expires=week)
    assert [key.expires for key in world.keys.listing(ROOT)] == [week.at]
    with pytest.raises(PaasError) as caught:
        world.keys.add(ROOT, alice, "AAA", None)
    assert "--expires" in (caught.value.hint or "")
    world.keys.add(ROOT, alice, "AAA", Role.ADMIN, expires=year)
    assert [key.expires for key in world.keys.listing(ROOT)] == [year.at]
    assert world.actor("alice").is_admin
    world.keys.add(ROOT, alice, "AAA", None, expires=Expiry(None))
    assert [key.expires for key in world.keys.listing(ROOT)] == [None]
    assert world.key_file.published == ["alice AAA"]
    with pytest.raises(PaasError, match="another user"):
        world.keys.add(ROOT, UserName("bob"), "AAA", None, expires=week)


def test_a_key_adds_none_that_outlives_it(world: World) -> None:
    """For a member: otherwise a week would last as long as they like."""
    carol, now = UserName("carol"), world.clock.now()
    week = Expiry(now + timedelta(weeks=1))
    world.keys.add(ROOT, carol, "AAA", None, expires=week)
    member, origin = world.actor("carol"), Origin(key="SHA256:AAA")
    for wanted in (Expiry(None), Expiry(now + timedelta(weeks=2))):
        for text in ("AAA", "BBB"):
            with pytest.raises(PaasError) as caught:
                world.keys.add(member, carol, text, None, expires=wanted, origin=origin)
            assert caught.value.reference == "expiry-limit"
    world.keys.add(member, carol, "BBB", None, origin=origin)
    day = Expiry(now + timedelta(days=1))
    world.keys.add(member, carol, "CCC", None, expires=day, origin=origin)
    assert [key.expires for key in world.keys.listing(ROOT)] == [week.at, week.at, day.at]
    world.keys.add(ROOT, carol, "DDD", Role.ADMIN)
    world.keys.add(world.actor("carol"), carol, "EEE", None, origin=origin)
    assert [key.expires for key in world.keys.listing(ROOT)][3:] == [None, None]


def test_scale(world: World) -> None:
    """ps:scale changes how many run; a bad word or a failure leaves the formation."""
    world.app()
    world.repository.procfiles[COMMIT] = b"web: serve\nworker: work\nrelease: migrate"
    world.push()
    assert world.processes.formation(ROOT, "shop") == {"web": 1, "worker": 0}
    world.processes.scale(ROOT, "shop", ["web=2", "worker+1"], world.progress)
    labels = [item.instance.label for item in world.processes.listing(ROOT, "shop")]
    assert labels == ["web.1", "web.2", "worker.1"]
    for word in ("web=1000000000", "worker-5", "web", "release=1", "cron=1", "web=-1"):
        with pytest.raises(PaasError):
            world.processes.scale(ROOT, "shop", [word], world.progress)
    world.runtime.failure = PaasError("start", "supervisord does not answer.")
    with pytest.raises(PaasError):
        world.processes.scale(ROOT, "shop", ["web=5"], world.progress)
    assert world.processes.formation(ROOT, "shop") == {"web": 2, "worker": 1}


def _receive(world: World, *updates: RefUpdate) -> None:
    app = world.store.apps.find("shop") or world.app()
    quarantine = Quarantine(world.folder)
    world.pushes.receive(ROOT, app.id, updates, quarantine, world.progress)
