"""Domains: which names an app may have, and what becomes of them."""

import pytest

from paas.adapters.network.idn import to_host_name, to_unicode
from paas.adapters.network.public_suffixes import is_public_suffix
from paas.domain.people.users import Role
from paas.domain.routing.hosts import HostName, host_name, refuse_reserved, wildcards_over
from paas.domain.routing.routing import Routing
from paas.domain.routing.sites import Redirect
from paas.domain.values.errors import PaasError
from paas.domain.values.names import AppName
from paas.interfaces import ServerLock
from paas.settings import load
from tests.fakes.world import ROOT, World

SHOP = HostName("shop.test")
WWW = HostName("www.shop.test")


def refusal(world: World, *hosts: str, name: str = "shop", user: str | None = None) -> PaasError:
    """Why an app may not have these names."""
    actor = world.actor(user) if user else ROOT
    with pytest.raises(PaasError) as caught:
        world.domains.add(actor, name, [HostName(host) for host in hosts], world.progress)
    return caught.value


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("shop.test", "shop.test"),
        ("SHOP.Test.", "shop.test"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("straße.example", "xn--strae-oqa.example"),
        ("*.bücher.example", "*.xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("XN--i-7iq.example", "xn--i-7iq.example"),  # a heart, which some registries sell
    ],
)
def test_names_are_normalised(typed: str, meant: str) -> None:
    """Case, the root's dot and international names are what DNS makes of them."""
    assert to_host_name(typed) == meant


def test_names_are_shown_as_people_read_them() -> None:
    """Also a wildcard; and what is no international name stays."""
    assert to_unicode("*.xn--bcher-kva.example") == "*.bücher.example"
    assert to_unicode("xn--zzzzzzz-.example") == "xn--zzzzzzz-.example"


@pytest.mark.parametrize(
    "text", ["xn--a.example", "*.xn--zzzzz9zz.example", "www.XN--", "xn--abc-"]
)
def test_what_no_international_name_is_written_like(text: str) -> None:
    """A typing error in it; no DNS would ever have the name."""
    with pytest.raises(PaasError) as caught:
        to_host_name(text)
    assert caught.value.reference == "host-name"


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "*",
        "*.",
        "*.test",
        "a.*.test",
        "*a.test",
        "**.a.test",
        "http://a.test",
        "a.test/",
        "a.test:80",
        "a..test",
        "-a.test",
        "a-.test",
        "a_b.test",
        "a b.test",
        "a.test\n",
        "a.test;",
        "$host",
        "~^.*$",
        "192.0.2.1",
        "[::1]",
        "a" * 64 + ".test",
        ".".join(["a" * 60] * 5),
        "a\u2024test\u200b.example",
        "ünü\x00.test",
    ],
)
def test_what_is_no_name_is_refused(text: str) -> None:
    """As wrong usage, and nothing is repaired."""
    with pytest.raises(PaasError) as caught:
        to_host_name(text)
    assert caught.value.reference == "host-name"
    assert caught.value.exit_code == 2


def test_wildcards_over_a_name() -> None:
    """The closest first, itself not, and none over everything."""
    assert wildcards_over("a.b.c.test") == ["*.b.c.test", "*.c.test"]
    assert wildcards_over("*.b.c.test") == ["*.c.test"]


def test_domains_are_added_and_removed(world: World) -> None:
    """Twice is once; the own name stays until it is removed itself."""
    world.app()
    world.push()
    world.domains.add(ROOT, "shop", [SHOP, WWW, SHOP], world.progress)
    world.domains.add(ROOT, "shop", [SHOP], world.progress)
    assert list(world.proxy.by_app[1].hosts) == ["shop.example.com", SHOP, WWW]
    world.domains.remove(ROOT, "shop", [WWW, HostName("shop.example.com")], world.progress)
    assert list(world.proxy.by_app[1].hosts) == [SHOP]
    world.domains.clear(ROOT, "shop", world.progress)
    assert list(world.proxy.by_app[1].hosts) == ["shop.example.com"]


def test_a_domain_that_is_not_there_is_told(world: World) -> None:
    """And nothing is removed."""
    world.app()
    world.domains.add(ROOT, "shop", [SHOP], world.progress)
    with pytest.raises(PaasError, match=r"no domain www\.shop\.test"):
        world.domains.remove(ROOT, "shop", [SHOP, WWW], world.progress)
    assert world.store.routing.of_app(1).domains == (SHOP,)


def test_the_last_name_stays(world: World) -> None:
    """An app without a name could not be reached, and nginx would refuse its file."""
    world.app()
    with pytest.raises(PaasError, match="at least one"):
        world.domains.remove(ROOT, "shop", [HostName("shop.example.com")], world.progress)


def test_the_owner_is_told_to_those_who_may_know(world: World) -> None:
    """And to nobody else."""
    world.user("alice")
    world.user("bob")
    world.app("shop", world.actor("alice"))
    world.app("other", world.actor("bob"))
    world.domains.add(world.actor("alice"), "shop", [SHOP], world.progress)
    assert "the app shop" in refusal(world, SHOP, name="other").message
    assert "another app" in refusal(world, SHOP, name="other", user="bob").message


def test_nobody_else_takes_a_name_between_the_look_and_the_claim(world: World) -> None:
    """One change of names at a time, of all apps: each sees what the one before it took."""
    held: list[int | ServerLock] = []
    world.app("shop")
    world.push("shop")
    world.proxy.meanwhile = lambda: held.extend(world.locks.held)
    world.domains.add(ROOT, "shop", [SHOP], world.progress)
    assert ServerLock.ROUTING in held
    assert world.locks.held == {}


def test_a_name_below_anothers_wildcard_is_theirs(world: World) -> None:
    """Who may use both apps may take it out of the wildcard."""
    world.user("alice")
    world.user("bob")
    world.app("shop", world.actor("alice"))
    world.app("other", world.actor("bob"))
    wildcard = HostName("*.shop.test")
    world.domains.add(world.actor("alice"), "shop", [wildcard], world.progress)
    assert refusal(world, WWW, name="other", user="bob").reference == "host-taken"
    assert refusal(world, "*.www.shop.test", name="other", user="bob").reference == "host-taken"
    world.domains.add(ROOT, "other", [WWW], world.progress)


def test_a_wildcard_has_no_name_of_somebody_elses_below_it(world: World) -> None:
    """That one could add no other of their own. Who may use both apps may, and an admin."""
    for name, user in (("shop", "alice"), ("other", "bob"), ("own", "bob")):
        world.user(user)
        world.app(name, world.actor(user))
    world.domains.add(world.actor("alice"), "shop", [WWW], world.progress)
    world.domains.add(world.actor("bob"), "own", [HostName("own.test")], world.progress)
    for host in ("*.shop.test", "*.www.shop.test", "*.a.www.shop.test"):
        assert refusal(world, host, name="other", user="bob").reference == "host-taken"
    for host in ("*.op.test", "*.own.test"):
        world.domains.add(world.actor("bob"), "other", [HostName(host)], world.progress)
    world.domains.add(ROOT, "other", [HostName("*.shop.test")], world.progress)


def test_a_wildcard_below_which_are_strangers_is_for_admins(world: World) -> None:
    """Nobody owns *.co.uk; a name below it has an owner."""
    world.user("alice")
    world.app("shop", world.actor("alice"))
    assert refusal(world, "*.co.uk", user="alice").reference == "host-public-suffix"
    names = [HostName("shop.co.uk"), HostName("*.shop.co.uk")]
    world.domains.add(world.actor("alice"), "shop", names, world.progress)
    world.domains.add(ROOT, "shop", [HostName("*.co.uk")], world.progress)


@pytest.mark.parametrize("host", ["co.uk", "shop", "intranet"])
def test_a_name_that_nobody_owns_is_for_admins(world: World, host: str) -> None:
    """A public suffix, and one label, which the machines of a network take for theirs."""
    world.user("alice")
    world.app("shop", world.actor("alice"))
    assert refusal(world, host, user="alice").reference == "host-public-suffix"
    world.domains.add(ROOT, "shop", [HostName(host)], world.progress)


def test_localhost_is_no_domain(world: World) -> None:
    """Not even an admin's: each machine means itself by it."""
    world.app()
    assert refusal(world, "localhost").reference == "host-reserved"
    with pytest.raises(PaasError):
        world.domains.redirect(ROOT, "shop", Redirect("localhost", SHOP), world.progress)


def test_names_below_another_apps_domain_are_not_for_others(world: World) -> None:
    """login.shop.test would get the cookies of shop.test, and its visitors' trust."""
    world.user("alice")
    world.user("bob")
    world.app("shop", world.actor("alice"))
    world.app("more", world.actor("alice"))
    world.app("other", world.actor("bob"))
    world.domains.add(world.actor("alice"), "shop", [SHOP], world.progress)
    for host in ("login.shop.test", "a.login.shop.test", "*.shop.test"):
        assert refusal(world, host, name="other", user="bob").reference == "host-taken"
    with pytest.raises(PaasError) as caught:
        redirect = Redirect("login.shop.test", "other.example.com")
        world.domains.redirect(world.actor("bob"), "other", redirect, world.progress)
    assert caught.value.reference == "host-taken"
    world.domains.add(world.actor("alice"), "more", [HostName("login.shop.test")], world.progress)
    world.domains.add(ROOT, "other", [HostName("admin.shop.test")], world.progress)


@pytest.mark.parametrize(
    ("host", "is_public"),
    [
        ("co.uk", True),
        ("github.io", True),
        ("anything.ck", True),
        ("xn--55qx5d.cn", True),
        ("xn--p1ai", True),
        ("xn--80aaxitdbjk.xn--p1ai", False),
        ("xn--a.cn", False),
        ("example.com", False),
        ("shop.co.uk", False),
        ("home.lan", False),
    ],
)
def test_the_list_of_public_suffixes_is_at_hand(host: str, is_public: bool) -> None:
    """Also of private ones, of whole wildcards, and of names that are not ASCII."""
    assert is_public_suffix(HostName(host)) is is_public


def test_the_list_of_public_suffixes_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command asks several times, and reading it takes longer than all else that it does."""
    assert is_public_suffix(HostName("co.uk"))
    monkeypatch.setattr("publicsuffixlist.PSLFILE", "/nonexistent")
    assert is_public_suffix(HostName("github.io"))


def test_names_below_the_servers_domain_are_for_admins(world: World) -> None:
    """An app's own name is never another's, and the rest is not a member's to give."""
    world.user("alice")
    world.app("shop", world.actor("alice"))
    world.app("other")
    for host in ("example.com", "free.example.com", "*.example.com"):
        assert refusal(world, host, user="alice").reference == "host-reserved"
    assert refusal(world, "other.example.com").reference == "host-taken"
    world.domains.add(ROOT, "shop", [HostName("free.example.com")], world.progress)
    with pytest.raises(PaasError) as caught:
        world.app("free")
    assert caught.value.reference == "host-taken"
    with pytest.raises(PaasError):
        world.apps.rename(ROOT, "other", AppName("free"), world.progress)


def test_a_redirect_takes_its_name_out_of_the_domains(world: World) -> None:
    """A name answers or redirects, not both."""
    world.app()
    world.push()
    world.domains.add(ROOT, "shop", [SHOP, WWW], world.progress)
    world.domains.redirect(ROOT, "shop", Redirect(WWW, SHOP, 308), world.progress)
    assert world.proxy.by_app[1].hosts == ("shop.example.com", SHOP)
    assert world.proxy.by_app[1].redirects == (Redirect(WWW, SHOP, 308),)
    world.domains.redirect(ROOT, "shop", Redirect(WWW, SHOP, 302), world.progress)
    assert world.proxy.by_app[1].redirects == (Redirect(WWW, SHOP, 302),)
    world.domains.remove(ROOT, "shop", [WWW], world.progress)
    assert world.store.routing.of_app(1) == Routing(domains=(SHOP,))


def test_adding_a_name_ends_its_redirect(world: World) -> None:
    """The later wish counts."""
    world.app()
    world.domains.redirect(ROOT, "shop", Redirect(WWW, SHOP), world.progress)
    world.domains.add(ROOT, "shop", [WWW], world.progress)
    assert world.store.routing.of_app(1) == Routing(domains=(WWW,))


@pytest.mark.parametrize("to", [WWW, "*.shop.test"])
def test_a_redirect_leads_to_one_other_name(world: World, to: str) -> None:
    """Not to itself, not to a wildcard."""
    world.app()
    with pytest.raises(PaasError):
        world.domains.redirect(ROOT, "shop", Redirect(WWW, to), world.progress)


def test_redirects_make_no_loop(world: World) -> None:
    """Where the target redirects itself."""
    world.app()
    world.domains.redirect(ROOT, "shop", Redirect(SHOP, WWW), world.progress)
    with pytest.raises(PaasError) as caught:
        world.domains.redirect(ROOT, "shop", Redirect(WWW, SHOP), world.progress)
    assert caught.value.reference == "redirect-loop"


def test_a_wildcard_redirects_to_a_name_that_answers(world: World) -> None:
    """A name below it that only redirects would lead to itself, also when it is removed later."""
    world.app()
    below, all_below = host_name("www.shop.test"), Redirect("*.shop.test", "www.shop.test")
    with pytest.raises(PaasError) as caught:
        world.domains.redirect(ROOT, "shop", all_below, world.progress)
    assert caught.value.reference == "redirect-loop"
    world.domains.add(ROOT, "shop", [below], world.progress)
    world.domains.redirect(ROOT, "shop", all_below, world.progress)
    with pytest.raises(PaasError) as caught:
        world.domains.remove(ROOT, "shop", [below], world.progress)
    assert caught.value.reference == "redirect-loop"


def test_a_wildcard_redirects_to_another_apps_name_below_it(world: World) -> None:
    """That app answers there."""
    world.app()
    world.app("docs")
    world.domains.add(ROOT, "docs", [host_name("docs.shop.test")], world.progress)
    world.domains.redirect(ROOT, "shop", Redirect("*.shop.test", "docs.shop.test"), world.progress)


def test_the_only_name_does_not_redirect(world: World) -> None:
    """There must be one that answers."""
    world.app()
    with pytest.raises(PaasError) as caught:
        world.domains.redirect(ROOT, "shop", Redirect("shop.example.com", SHOP), world.progress)
    assert caught.value.reference == "last-domain"


def test_there_is_a_limit(world: World) -> None:
    """A site file of a thousand names would be read at each reload."""
    world.app()
    error = refusal(world, *(f"{n}.shop.test" for n in range(11)))
    assert error.reference == "too-many-domains"


def test_the_listing_says_where_dns_points(world: World) -> None:
    """Here, elsewhere, or nowhere."""
    world.app()
    world.resolver.addresses = {SHOP: ("192.0.2.1",), WWW: ("203.0.113.9",)}
    world.domains.add(ROOT, "shop", [SHOP, WWW], world.progress)
    found = world.domains.listing(ROOT, "shop")
    assert [(i.host, i.kind, i.addresses, i.here) for i in found] == [
        ("shop.example.com", "app", (), False),
        (SHOP, "custom", ("192.0.2.1",), True),
        (WWW, "custom", ("203.0.113.9",), False),
    ]


def test_the_servers_domain_moves_all_apps(world: World) -> None:
    """Those that serve, in one change of the proxy."""
    world.app()
    world.push()
    world.app("idle")
    world.domains.set_global(ROOT, host_name("apps.test"), world.progress)
    assert world.proxy.by_app[1].hosts == ("shop.apps.test",)
    assert load(world.server_yml).domain == "apps.test"


def test_what_changes_before_the_domain_moves_is_not_undone(world: World) -> None:
    """A deploy that ends at that moment: its instances are served, not the former."""
    world.app()
    world.push()

    def deploy() -> None:
        world.push()
        served.append(world.proxy.ports_of(1))

    served: list[tuple[int, ...]] = []
    world.proxy.meanwhile_all = deploy
    world.domains.set_global(ROOT, host_name("apps.test"), world.progress)
    assert [world.proxy.ports_of(1)] == served


def test_a_domain_that_cannot_be_written_moves_nothing(world: World) -> None:
    """The proxy goes back."""
    world.app()
    world.push()
    world.server_yml.write_text("domain: [")
    with pytest.raises(PaasError, match="is not valid YAML"):
        world.domains.set_global(ROOT, host_name("apps.test"), world.progress)
    assert world.proxy.by_app[1].hosts == ("shop.example.com",)


def test_only_admins_change_the_servers_domain(world: World) -> None:
    """It concerns every app."""
    world.user("alice")
    world.user("root2", Role.ADMIN)
    with pytest.raises(PaasError) as caught:
        world.domains.set_global(world.actor("alice"), host_name("apps.test"), world.progress)
    assert caught.value.reference == "admins-only"
    world.domains.set_global(world.actor("root2"), host_name("apps.test"), world.progress)


def test_a_name_that_is_taken_meanwhile_is_given_back(world: World) -> None:
    """Between the check and the store another user makes an app whose own name it is."""
    world.app()
    world.push()
    name = HostName("fresh.example.com")
    world.proxy.meanwhile = lambda: world.store.apps.add(AppName("fresh"), None, world.clock.now())
    with pytest.raises(PaasError) as caught:
        world.domains.add(ROOT, "shop", [name], world.progress)
    assert caught.value.reference == "host-taken"
    assert world.store.routing.of_app(1) == Routing()
    assert world.proxy.by_app[1].hosts == ("shop.example.com",)


@pytest.mark.parametrize("host", ["*.example.com", "*.com.example.com", "x.example.com"])
def test_names_of_apps_to_come_are_for_admins_to_give(world: World, host: str) -> None:
    """A wildcard over the server's domain would answer for every app that is not there yet."""
    world.user("bob")
    world.app("shop", world.actor("bob"))
    assert refusal(world, host, user="bob").reference == "host-reserved"


def test_a_wildcard_above_the_servers_domain_too(world: World) -> None:
    """It has the names below that domain as well."""
    with pytest.raises(PaasError) as caught:
        refuse_reserved("*.example.com", "apps.example.com", is_admin=False)
    assert caught.value.reference == "host-reserved"
    refuse_reserved("example.com", "apps.example.com", is_admin=False)
    refuse_reserved("*.other.com", "apps.example.com", is_admin=False)


def test_a_domain_that_becomes_the_own_name_is_there_once(world: World) -> None:
    """An admin gave the app a name, and the app is renamed to it."""
    world.app()
    world.push()
    world.domains.add(ROOT, "shop", [HostName("store.example.com")], world.progress)
    world.apps.rename(ROOT, "shop", AppName("store"), world.progress)
    assert world.proxy.by_app[1].hosts == ("store.example.com",)
    app = world.store.apps.find("store")
    assert app is not None
    assert world.sites.names(app) == ("store.example.com",)
