"""Quotas: what members are refused, what admins may do, and how quotas are set."""

import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from paas.domain.apps.apps import App
from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.datastores.plans import SMALL
from paas.domain.git.previews import Preview, PreviewOf
from paas.domain.git.refs import NO_COMMIT, RefUpdate
from paas.domain.git.sources import GitSource
from paas.domain.people.access import Grant, Holder, TeamName
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import AppRole
from paas.domain.people.users import Role
from paas.domain.routing.hosts import HostName
from paas.domain.server.quotas import Quota, parse_quotas
from paas.domain.values.errors import PaasError
from paas.domain.values.names import AppName, BranchName, ProcessType, UserName
from paas.entrypoints.daemons.disk_quotas import DiskQuotas
from paas.interfaces import Quarantine
from paas.services.builds.build import Push
from paas.services.deploys.imports import Building
from tests.fakes.world import ROOT, World

MIB = 1024**2
ALICE = UserName("alice")


@pytest.fixture
def alice(world: World) -> Actor:
    """A member with the app shop."""
    actor = world.user("alice")
    world.app("shop", actor)
    return actor


def test_whose_apps_count(world: World, alice: Actor) -> None:
    """Those of which one is the first owner, and previews of them, as each app says itself."""
    bob, now = world.user("bob"), world.clock.now()
    world.store.teams.create(TeamName("web"), now)
    ids = {name: world.app(name, bob).id for name in ("second", "viewed", "preview", "left")}
    for name, holder, role in (
        ("shop", "bob", AppRole.OWNER),
        ("second", "alice", AppRole.OWNER),
        ("viewed", "alice", AppRole.VIEWER),
        ("viewed", "@web", AppRole.OWNER),
    ):
        app = world.store.apps.find(name)
        assert app is not None
        world.store.grants.put(app.id, Grant(Holder(holder), role), now)
    world.store.grants.remove(ids["viewed"], Holder("bob"))
    for name, parent in (("preview", shop(world).id), ("left", None)):
        of = PreviewOf(BranchName("topic"))
        world.store.previews.add(
            Preview(
                app_id=ids[name], parent_id=parent, of=of, forge=None, commit="", expires_at=now
            )
        )
    apps = world.store.apps.all()
    for holder in (Holder("alice"), Holder("bob"), Holder("@web")):
        owned = {app.id for app in apps if app.owner == holder}
        assert owned
        assert world.store.apps.owned_by(holder) == owned


def shop(world: World) -> App:
    """As stored."""
    app = world.store.apps.find("shop")
    assert app is not None
    return app


def deploy(world: World, actor: Actor) -> None:
    """Push to shop as that user."""
    world.deploys.deploy(Push(shop(world), "a" * 40, None, actor), world.progress)


def fill(world: World, part: str, mib: int) -> None:
    """Give shop that much of something on the disk."""
    folder = world.folder / part / str(shop(world).id)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "file").write_bytes(b"x" * mib * MIB)


def refused(call: Callable[[], object]) -> PaasError:
    """The reason why a call is refused; it says who can raise the quota."""
    with pytest.raises(PaasError) as caught:
        call()
    assert "paas quota:set" in (caught.value.hint or "")
    return caught.value


def test_how_many_apps_a_member_may_own(world: World, alice: Actor) -> None:
    """A first push and a copy count, too; other users' apps do not; an admin may have more."""
    world.app("other", world.user("bob"))
    world.quotas.set_for_user(ROOT, ALICE, ["apps=2"])
    world.app("blog", alice)
    for call in (
        lambda: world.app("wiki", alice),
        lambda: world.pushes.to_push(alice, AppName("wiki"), world.progress),
        lambda: world.cloning.clone(alice, "shop", AppName("wiki"), world.progress),
    ):
        assert refused(call).reference == "too-many-apps"
    assert world.store.apps.find("wiki") is None
    world.user("alice", Role.ADMIN)
    world.app("wiki", world.actor("alice"))


def test_how_many_datastores_a_member_may_have(world: World, alice: Actor) -> None:
    """In all of their apps, by any way; an admin may make more, and others' do not count."""
    world.quotas.set_for_user(ROOT, ALICE, ["datastores=2"])
    order = (DatastoreKind.POSTGRESQL, SMALL)

    def make(app: str, actor: Actor, number: int) -> None:
        world.random_name = f"name-{number}"
        world.datastores.create(actor, app, order, None, world.progress)

    world.app("blog", alice)
    world.app("theirs", world.user("bob"))
    make("shop", alice, 1)
    make("blog", alice, 2)
    assert refused(lambda: make("blog", alice, 3)).reference == "datastore-quota"
    make("theirs", world.actor("bob"), 4)
    make("blog", ROOT, 5)
    (used,) = [one for one in world.quotas.of_user(alice, ALICE) if one.quota is Quota.DATASTORES]
    assert (used.used, used.limit, used.origin) == (3, 2, "user")
    for call in (
        lambda: world.access.transfer(world.actor("bob"), "theirs", Holder(ALICE)),
        lambda: world.forks.fork(alice, "shop", None, None, None, world.progress, print),
    ):
        assert refused(call).reference == "datastore-quota"
    with pytest.raises(PaasError, match="datastores is a quota of users"):
        world.quotas.set_for_app(ROOT, "shop", ["datastores=9"])


def test_how_many_instances_an_app_may_have(world: World, alice: Actor) -> None:
    """All types together, by ps:scale; nothing changes, and an admin may scale higher."""
    world.repository.procfiles["a" * 40] = b"web: serve\nworker: work\n"
    deploy(world, alice)
    world.quotas.set_for_app(ROOT, "shop", ["instances=3"])
    world.processes.scale(alice, "shop", ["web=2", "worker=1"], world.progress)
    error = refused(lambda: world.processes.scale(alice, "shop", ["web=3"], world.progress))
    assert error.reference == "too-many-instances"
    assert world.processes.formation(alice, "shop")[ProcessType("web")] == 2
    world.processes.scale(ROOT, "shop", ["web=9"], world.progress)
    deploy(world, alice)  # what an admin has allowed stays
    world.processes.scale(alice, "shop", ["web=8"], world.progress)
    assert refused(lambda: world.processes.scale(alice, "shop", ["web=9"], world.progress))


def test_no_hundred_instances_by_default(world: World, alice: Actor) -> None:
    """The server's own quota."""
    deploy(world, alice)
    error = refused(lambda: world.processes.scale(alice, "shop", ["web=100"], world.progress))
    assert error.message == "shop would have 100 instances; its quota is 20."


def test_a_push_brings_no_more_instances(world: World, alice: Actor) -> None:
    """app.json scales a new app; the push is rejected and nothing is live."""
    world.repository.contents["a" * 40, "app.json"] = b'{"formation": {"web": {"quantity": 21}}}'
    assert refused(lambda: deploy(world, alice)).reference == "too-many-instances"
    assert shop(world).current is None
    assert world.slugs.frozen == set()
    deploy(world, ROOT)


def test_how_many_domains_an_app_may_have(world: World, alice: Actor) -> None:
    """Pending ones count."""
    world.quotas.set_for_user(ROOT, ALICE, ["domains=2"])
    two = [HostName("a.example.org"), HostName("b.example.org")]
    world.domains.add(alice, "shop", two, world.progress)
    one_more = [HostName("c.example.org")]
    error = refused(lambda: world.domains.add(alice, "shop", one_more, world.progress))
    assert error.reference == "too-many-domains"
    world.quotas.set_for_app(ROOT, "shop", ["domains=3"])
    world.domains.add(alice, "shop", one_more, world.progress)


def test_how_much_visitors_may_send(world: World, alice: Actor) -> None:
    """A member chooses below the ceiling, an admin anything."""
    key = "client-max-body-size"
    world.router.set(alice, "shop", key, "1g", world.progress)
    error = refused(lambda: world.router.set(alice, "shop", key, "1025m", world.progress))
    assert error.reference == "body-quota"
    world.router.set(ROOT, "shop", key, "100g", world.progress)
    world.router.set(alice, "shop", "gzip", "on", world.progress)
    world.router.set(alice, "shop", key, None, world.progress)


@pytest.mark.parametrize("part", ["storage", "cache"])
def test_how_much_an_app_may_have_on_the_disk(world: World, alice: Actor, part: str) -> None:
    """Anything that would add to it is refused; instances keep running, nothing is deleted."""
    deploy(world, alice)
    world.quotas.set_for_app(ROOT, "shop", ["disk=5m"])
    fill(world, part, 6)
    running = dict(world.runtime.running)
    source = GitSource("https://example.org/a.git", None)
    for call in (
        lambda: deploy(world, alice),
        lambda: world.pushes.to_push(alice, AppName("shop"), world.progress),
        lambda: world.pushes.to_upload(alice, AppName("shop"), world.progress),
        lambda: world.storage.add(alice, "shop", "/app/data", world.progress),
        lambda: world.imports.sync(alice, "shop", source, Building.NEVER, world.progress),
    ):
        error = refused(call)
        assert error.reference == "disk-quota"
        assert "its quota is 5.0 MiB" in error.message
    assert world.runtime.running == running
    assert (world.folder / part / str(shop(world).id) / "file").exists()
    world.processes.restart(alice, "shop", [], world.progress)
    world.builds.purge_cache(alice, "shop", world.progress)
    world.storage.add(ROOT, "shop", "/app/data", world.progress)
    deploy(world, ROOT)


def test_datastores_count_for_the_app_that_they_belong_to(world: World, alice: Actor) -> None:
    """Not for the others that they are attached to; a further one is refused, too."""
    order = (DatastoreKind.POSTGRESQL, SMALL)
    made = world.datastores.create(alice, "shop", order, None, world.progress)
    world.app("blog", alice)
    world.attachments.attach(alice, "blog", made.name, None, world.progress)
    world.quotas.set_for_user(ROOT, ALICE, ["disk=5m"])
    data = world.folder / "datastores" / str(made.id) / "data"
    data.mkdir(parents=True)
    (data / "file").write_bytes(b"x" * 6 * MIB)
    assert [app.name for app, _ in world.quotas.full()] == ["shop"]
    assert refused(lambda: deploy(world, alice)).reference == "disk-quota"
    again = partial(world.datastores.create, alice, "shop", order, None, world.progress)
    assert refused(again).reference == "disk-quota"
    usage = {str(one.app.name): one.usage for one in world.disk.report(ROOT, None).apps}
    assert usage["shop"].datastores >= 6 * MIB
    assert usage["blog"].datastores == 0


def test_a_push_is_measured_once(world: World, alice: Actor) -> None:
    """At its end; before anything is sent only if the last measurement found too much."""
    world.quotas.set_for_app(ROOT, "shop", ["disk=5m"])
    deploy(world, alice)
    fill(world, "storage", 6)
    world.pushes.to_push(alice, AppName("shop"), world.progress)
    refused(lambda: deploy(world, alice))
    assert [world.slugs.unfinished(), len(world.slugs.slugs())] == [[], 1]
    refused(lambda: world.pushes.to_push(alice, AppName("shop"), world.progress))
    shutil.rmtree(world.folder / "storage")
    world.pushes.to_push(alice, AppName("shop"), world.progress)
    deploy(world, alice)


def test_a_push_of_another_branch_is_measured(world: World, alice: Actor) -> None:
    """It has no build at whose end it would be; a deletion makes room."""
    world.quotas.set_for_app(ROOT, "shop", ["disk=5m"])
    deploy(world, alice)
    fill(world, "storage", 6)
    id, quarantine = shop(world).id, Quarantine(world.folder)
    new, gone = (RefUpdate("a" * 40, to, "refs/heads/other") for to in ("b" * 40, NO_COMMIT))
    receive = partial(world.pushes.receive, alice, id, quarantine=quarantine)
    error = refused(lambda: receive(updates=[new], progress=world.progress))
    assert error.reference == "disk-quota"
    receive(updates=[gone], progress=world.progress)


def test_what_a_cache_and_a_slug_share_counts_once(world: World, alice: Actor) -> None:
    """Even though slugs, which do not change, are only measured again if it matters."""
    world.quotas.set_for_app(ROOT, "shop", ["disk=5m"])
    deploy(world, alice)
    slug = world.store.slugs.of_app(shop(world).id)[0]
    path = world.folder / "slugs" / slug.id
    path.mkdir(parents=True)
    fill(world, "cache", 3)
    (path / "module").hardlink_to(world.folder / "cache" / str(shop(world).id) / "file")
    world.store.slugs.remove(slug.id)
    world.store.slugs.add(replace(slug, size_bytes=3 * MIB))
    world.quotas.refuse_full(alice, shop(world))
    fill(world, "storage", 3)
    refused(lambda: world.quotas.refuse_full(alice, shop(world)))


def test_the_owner_is_told_once(world: World, alice: Actor) -> None:
    """In the app's log, when the hourly count finds too much; an admin's app has no quota."""
    world.user("carol", Role.ADMIN)
    world.app("tool", world.actor("carol"))
    daemon = DiskQuotas(world.quotas, world.logs, lambda _: None)
    world.quotas.set_for_app(ROOT, "shop", ["disk=5m"])
    world.quotas.set_for_app(ROOT, "tool", ["disk=1m"])
    fill(world, "storage", 6)
    daemon.turn()
    daemon.turn()
    lines = [line for line in map(str, world.logs.lines) if "over its disk quota" in line]
    assert len(lines) == 1
    assert "6.0 MiB of 5.0 MiB" in lines[0]
    assert "paas disk -a shop" in lines[0]
    stop = threading.Event()
    stop.set()
    daemon.start(stop)


def test_the_closest_setting_holds(world: World, alice: Actor) -> None:
    """The app's, else its owner's, else the server's; `default` removes a setting."""
    disk = [world.quotas.of_app(alice, "shop")]
    world.quotas.set_for_user(ROOT, ALICE, ["disk=2g"])
    disk.append(world.quotas.of_app(alice, "shop"))
    disk.append(world.quotas.set_for_app(ROOT, "shop", ["disk=none"]))
    disk.append(world.quotas.set_for_app(ROOT, "shop", ["disk=default"]))
    found = [next(one for one in uses if one.quota is Quota.DISK) for uses in disk]
    assert [(one.limit, one.origin) for one in found] == [
        (10 * 1024 * MIB, "server.yml"),
        (2 * 1024 * MIB, "user"),
        (0, "app"),
        (2 * 1024 * MIB, "user"),
    ]


def test_who_sees_and_sets_them(world: World, alice: Actor) -> None:
    """A member sees their own and sets none."""
    bob = world.user("bob")
    assert [one.used for one in world.quotas.of_user(alice, ALICE)] == [
        1,
        0,
        None,
        None,
        None,
        None,
    ]
    calls: list[Callable[[], object]] = [
        lambda: world.quotas.of_user(bob, ALICE),
        lambda: world.quotas.set_for_user(alice, ALICE, ["apps=99"]),
        lambda: world.quotas.set_for_app(alice, "shop", ["disk=none"]),
    ]
    for call in calls:
        with pytest.raises(PaasError) as caught:
            call()
        assert caught.value.reference == "admins-only"
    with pytest.raises(PaasError, match="no user"):
        world.quotas.set_for_user(ROOT, UserName("nobody"), ["apps=1"])
    with pytest.raises(PaasError, match="quota of users"):
        world.quotas.set_for_app(ROOT, "shop", ["apps=1"])


def test_a_destroyed_app_leaves_none(world: World, alice: Actor) -> None:
    """Its quotas go with it."""
    app = shop(world)
    world.quotas.set_for_app(ROOT, "shop", ["disk=1g"])
    world.apps.destroy(alice, "shop", "shop", world.progress)
    assert world.store.quotas.of_app(app.id) == {}


@pytest.mark.parametrize(
    "word",
    [
        *("disk", "disk=", "disk=0", "disk=1", "disk=1.5g", "disk=-1g", "disk=1000000g"),
        *(
            "apps=0",
            "apps=-1",
            "apps=1g",
            "apps=100001",
            "apps=\uff11",
            "memory=1g",
            "=1",
            "apps=1\n",
        ),
    ],
)
def test_bad_quotas(word: str) -> None:
    """Each is a usage error."""
    with pytest.raises(PaasError) as caught:
        parse_quotas([word])
    assert caught.value.exit_code == 2


def test_quotas_as_typed() -> None:
    """Several at once, but none twice."""
    found = parse_quotas(["disk=20g", "apps=50", "body=none", "instances=default"])
    assert found == {
        Quota.DISK: 20 * 1024 * MIB,
        Quota.APPS: 50,
        Quota.BODY: 0,
        Quota.INSTANCES: None,
    }
    with pytest.raises(PaasError, match="twice"):
        parse_quotas(["disk=1g", "disk=2g"])


def test_no_quota_in_server_yml(world: World, alice: Actor) -> None:
    """0 means no quota."""
    free = replace(world.quotas, defaults=dict.fromkeys(Quota, 0))
    free.refuse_app(alice, Holder(alice.name))
    free.refuse_instances(alice, shop(world), 10_000)
    free.refuse_body(alice, shop(world), 100 * 1024 * MIB)
    free.refuse_full(alice, shop(world))
    assert free.full() == []
