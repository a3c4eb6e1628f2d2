"""Paths of hosts: which app may have which, and what becomes of them."""

from pathlib import Path

import pytest

from paas.domain.routing.hosts import HostName
from paas.domain.routing.paths import PathPrefix, PathRoute, path_prefix
from paas.domain.routing.sites import Certificate, Redirect, Server, Site, servers_of
from paas.domain.values.errors import PaasError
from paas.domain.values.names import AppName
from paas.services.routing.paths import PathAddress
from tests.endpoints import at
from tests.fakes.world import ROOT, World

SHOP = HostName("shop.test")
OWN = HostName("shop.example.com")
API = PathAddress(SHOP, PathPrefix("/api"))


def add(world: World, *addresses: PathAddress, name: str = "api", user: str | None = None) -> None:
    """Have an app answer paths."""
    actor = world.actor(user) if user else ROOT
    world.paths.add(actor, name, addresses, world.progress, strip=True)


def refusal(world: World, *addresses: PathAddress, user: str | None = None) -> PaasError:
    """Why the app api may not have these paths."""
    with pytest.raises(PaasError) as caught:
        add(world, *addresses, user=user)
    return caught.value


@pytest.fixture
def shop(world: World) -> World:
    """Two apps that run: shop (1), which has shop.test, and api (2)."""
    for name in ("shop", "api"):
        world.app(name)
        world.push(name)
    world.domains.add(ROOT, "shop", [SHOP], world.progress)
    return world


@pytest.mark.parametrize(
    "text",
    ["", "/", "api", "/api//x", "//api", "/.git", "/a/../b", "/a b", "/a?b", "/a%20b", "/a{b",
     "/a$b", '/a"b', "/a\n", "/a/b/c/d/e", "/" + "a" * 200, "/ü", "/*"],
)  # fmt: skip
def test_what_is_no_path_is_refused(text: str) -> None:
    """It would have more than one form, or say more than a path in a proxy's file."""
    with pytest.raises(PaasError) as caught:
        path_prefix(text)
    assert caught.value.reference == "path"


@pytest.mark.parametrize("text", ["/api", "/api/", "/API/v1.2/a-b/_c~"])
def test_a_path_is_some_plain_segments(text: str) -> None:
    """A slash at the end makes no difference."""
    assert path_prefix(text) == text.removesuffix("/")


def test_both_proxies_are_told(shop: World) -> None:
    """The site of the host's app has the path, and that of the other expects its requests."""
    add(shop, API)
    assert shop.proxy.by_app[1].paths == (PathRoute(SHOP, "/api", 2),)
    assert shop.proxy.by_app[2].by_path
    assert shop.proxy.calls[-2].startswith("apply 2")
    assert shop.proxy.calls[-1].startswith("apply 1")


def test_adding_again_changes_whether_it_is_stripped(shop: World) -> None:
    """The later wish counts."""
    add(shop, API)
    shop.paths.add(ROOT, "api", [API], shop.progress, strip=False)
    assert shop.proxy.by_app[1].paths == (PathRoute(SHOP, "/api", 2, strip=False),)


def test_removing_gives_it_back(shop: World) -> None:
    """By the name of the app that answers, or of the one that has the host; once."""
    for name in ("api", "shop"):
        add(shop, API)
        shop.paths.remove(ROOT, name, [API], shop.progress)
        assert shop.proxy.by_app[1].paths == ()
        assert not shop.proxy.by_app[2].by_path
    with pytest.raises(PaasError, match=r"api has no path shop\.test/api"):
        shop.paths.remove(ROOT, "api", [API], shop.progress)


def test_a_path_is_one_apps(shop: World) -> None:
    """Another has to wait until it is free, even of the same owner; paths below it are free."""
    shop.app("other")
    add(shop, API)
    with pytest.raises(PaasError) as caught:
        add(shop, API, name="other")
    assert caught.value.reference == "host-taken"
    assert "the app api" in caught.value.message
    assert not shop.store.routing.of_app(3).by_path
    add(shop, PathAddress(SHOP, PathPrefix("/api/v2")), name="other")


def test_all_or_none_are_added(shop: World) -> None:
    """A second one that is refused leaves the first out."""
    shop.app("other")
    add(shop, PathAddress(SHOP, PathPrefix("/b")), name="other")
    refusal(shop, API, PathAddress(SHOP, PathPrefix("/b")))
    assert [path.path for path in shop.store.routing.of_app(1).paths] == ["/b"]


def test_a_host_is_for_those_who_may_change_its_app(world: World) -> None:
    """And nobody else learns whose it is."""
    for user, name in (("alice", "shop"), ("bob", "api")):
        world.user(user)
        world.app(name, world.actor(user))
    world.domains.add(world.actor("alice"), "shop", [SHOP], world.progress)
    for host in (SHOP, OWN):
        refused = refusal(world, PathAddress(host, PathPrefix("/api")), user="bob")
        assert refused.reference == "host-taken"
        assert "another app" in refused.message
    assert not world.store.routing.of_app(2).by_path


@pytest.mark.parametrize(
    ("host", "reference"),
    [("free.test", "no-such-domain"), ("*.shop.test", "path"), ("www.shop.test", "no-such-domain")],
)
def test_the_host_has_to_answer(shop: World, host: str, reference: str) -> None:
    """Not one that nobody has, a wildcard, or one that redirects."""
    shop.domains.redirect(ROOT, "shop", Redirect("www.shop.test", SHOP), shop.progress)
    refused = refusal(shop, PathAddress(HostName(host), PathPrefix("/api")))
    assert refused.reference == reference


def test_an_apps_own_name_has_paths_through_a_renaming(shop: World) -> None:
    """They are those of its name, whatever that is."""
    add(shop, PathAddress(OWN, PathPrefix("/api")))
    shop.apps.rename(ROOT, "shop", AppName("store"), shop.progress)
    shop.apps.rename(ROOT, "api", AppName("backend"), shop.progress)
    assert shop.proxy.by_app[1].paths == (PathRoute("store.example.com", "/api", 2),)
    (info,) = shop.paths.listing(ROOT, "backend")
    assert (info.route.address, info.host_app, info.app) == (
        "store.example.com/api", "store", "backend",
    )  # fmt: skip
    shop.paths.remove(
        ROOT, "backend", [PathAddress(HostName("store.example.com"), API.path)], shop.progress
    )


def test_a_path_that_the_proxy_refuses_leaves_nothing(shop: World) -> None:
    """Neither the path, nor the mark of the app that would have had it."""

    def fail() -> None:
        shop.proxy.failure = PaasError("proxy-refused", "No.")

    shop.proxy.meanwhile = fail  # when the app is marked; so the path is refused
    with pytest.raises(PaasError, match="No"):
        add(shop, API)
    assert shop.proxy.by_app[1].paths == ()
    assert not shop.store.routing.of_app(2).by_path


def test_paths_go_with_their_host(shop: World) -> None:
    """Removed, redirected or cleared; and do not come back with it."""
    add(shop, API)
    add(shop, PathAddress(OWN, PathPrefix("/api")))
    shop.domains.redirect(ROOT, "shop", Redirect(SHOP, OWN), shop.progress)
    assert [path.host for path in shop.proxy.by_app[1].paths] == [OWN]
    shop.domains.add(ROOT, "shop", [SHOP], shop.progress)
    assert [path.host for path in shop.proxy.by_app[1].paths] == [OWN]
    shop.domains.remove(ROOT, "shop", [OWN], shop.progress)
    assert shop.proxy.by_app[1].paths == ()


def test_paths_go_with_either_app(shop: World) -> None:
    """A path to an app that is destroyed is the host's app's again."""
    add(shop, API)
    shop.apps.destroy(ROOT, "api", "api", shop.progress)
    assert shop.proxy.by_app[1].paths == ()
    shop.app("api")
    add(shop, API)
    shop.apps.destroy(ROOT, "shop", "shop", shop.progress)
    assert shop.paths.listing(ROOT, "api") == []


def test_a_host_that_its_owner_gets_back_has_no_paths(shop: World) -> None:
    """They were of the app that had it."""
    add(shop, API)
    routing = shop.domains.claims.names.lost(shop.store.routing.of_app(1), SHOP)
    assert routing.pruned().paths == ()


def test_paths_count_as_domains(shop: World) -> None:
    """Up to the quota of the app that has the host."""
    hosts = [PathAddress(SHOP, PathPrefix(f"/p{number}")) for number in range(10)]
    add(shop, *hosts[:9])
    assert refusal(shop, hosts[9]).reference == "too-many-domains"


def test_the_names_of_apps_are_for_those_who_may_see_them(world: World) -> None:
    """Where the rights on one of the two have changed since."""
    for user, name in (("alice", "shop"), ("bob", "api")):
        world.user(user)
        world.app(name, world.actor(user))
    add(world, PathAddress(OWN, PathPrefix("/api")))
    (info,) = world.paths.listing(world.actor("bob"), "api")
    assert (info.host_app, info.app) == (None, "api")
    (info,) = world.paths.listing(world.actor("alice"), "shop")
    assert (info.host_app, info.app) == ("shop", None)
    for user, name in (("bob", "api"), ("alice", "shop")):
        address = PathAddress(OWN, PathPrefix("/api"))
        world.paths.remove(world.actor(user), name, [address], world.progress)
        add(world, address)


def test_a_copy_has_no_paths(shop: World) -> None:
    """Neither those of its original's hosts, nor those that are its original's."""
    add(shop, PathAddress(OWN, PathPrefix("/api")))
    for name in ("shop", "api"):
        shop.cloning.clone(ROOT, name, AppName(f"{name}2"), shop.progress, deploy=False)
    assert shop.store.routing.of_app(3).paths == ()
    assert not shop.store.routing.of_app(4).by_path


def test_a_host_with_paths_is_answered_on_its_own() -> None:
    """On each port; the others are answered alike, and what redirects has none."""
    certificate = Certificate(Path("/c"), Path("/k"), ("a.test", "b.test"))
    path = PathRoute("b.test", "/api", 2)
    site = Site(
        1, ("a.test", "b.test", "c.test"), at(1), certificates=(certificate,), paths=(path,)
    )
    upgrade = Redirect("", "", 301)
    assert servers_of(site) == [
        Server(("c.test",)),
        Server(("a.test",), redirect=upgrade),
        Server(("b.test",), redirect=upgrade, paths=(path,)),
        Server(("a.test",), certificate),
        Server(("b.test",), certificate, paths=(path,)),
    ]
