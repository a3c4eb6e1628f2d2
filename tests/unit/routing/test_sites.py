"""Sites: which names are answered how, and changing an app's routing."""

from dataclasses import replace
from pathlib import Path

import pytest

from paas.domain.apps.apps import App
from paas.domain.routing.routing import Routing
from paas.domain.routing.sites import Certificate, Redirect, Server, Site, servers_of
from paas.domain.values.errors import PaasError
from tests.endpoints import at
from tests.fakes.world import ROOT, World

SHOP = Certificate(Path("/c/1/chain.pem"), Path("/c/1/key.pem"), ("shop.test", "www.shop.test"))
WWW = Redirect("www.shop.test", "shop.test", 308)


def test_names_without_a_certificate_are_answered_over_http() -> None:
    """One server for all of them."""
    assert servers_of(Site(1, ("a.test", "b.test"), at(5000))) == [Server(("a.test", "b.test"))]


def test_a_name_with_a_certificate_is_sent_to_https() -> None:
    """Its other names stay on plain HTTP."""
    site = Site(1, ("a.test", "shop.test"), at(5000), certificates=(SHOP,))
    assert servers_of(site) == [
        Server(("a.test",)),
        Server(("shop.test",), redirect=Redirect("", "", 301)),
        Server(("shop.test",), SHOP),
    ]


def test_a_redirect_is_made_on_both_ports() -> None:
    """Where the certificate has its name, as browsers try HTTPS first."""
    site = Site(1, ("shop.test",), at(5000), certificates=(SHOP,), redirects=(WWW,))
    servers = servers_of(site)
    assert Server(("www.shop.test",), redirect=WWW) in servers
    assert Server(("www.shop.test",), SHOP, WWW) in servers


def with_domains(*domains: str) -> Routing:
    """A routing with these names beside the app's own."""
    return Routing(domains=domains)


def test_a_change_of_routing_is_served_and_kept(world: World) -> None:
    """At the proxy and in the store."""
    world.app()
    world.push()
    change(world, with_domains("a.test"))
    assert world.proxy.by_app[1].hosts == ("shop.example.com", "a.test")
    assert world.store.routing.of_app(1) == with_domains("a.test")
    assert world.store.routing.host_owner("a.test") == 1


def test_every_part_of_a_routing_is_kept(world: World) -> None:
    """What was set comes back from the database as it was."""
    world.app()
    routing = Routing(("a.test", "*.b.test"), own_host=False, redirects=(WWW,))
    world.store.routing.set(1, routing)
    assert world.store.routing.of_app(1) == routing


def test_what_the_proxy_refuses_is_not_kept(world: World) -> None:
    """The former routing stands."""
    world.app()
    world.push()
    world.proxy.failure = PaasError("proxy-refused", "No.")
    with pytest.raises(PaasError, match="No"):
        change(world, with_domains("a.test"))
    assert world.store.routing.of_app(1) == Routing()


def test_a_name_belongs_to_one_app(world: World) -> None:
    """The second is refused, and its site is as before."""
    world.app()
    world.app("other")
    world.push("other", "b" * 40)
    change(world, with_domains("a.test"))
    with pytest.raises(PaasError) as caught:
        change(world, with_domains("a.test"), "other")
    assert caught.value.reference == "host-taken"
    assert world.proxy.by_app[2].hosts == ("other.example.com",)


def test_an_app_that_was_never_deployed_has_no_site_yet(world: World) -> None:
    """Its routing waits for the first deploy."""
    world.app()
    change(world, with_domains("a.test"))
    assert world.proxy.calls == []
    world.push()
    assert "a.test" in world.proxy.by_app[1].hosts


def test_a_destroyed_app_frees_its_names(world: World) -> None:
    """The next may have them."""
    world.app()
    change(world, with_domains("a.test"))
    world.apps.destroy(ROOT, "shop", "shop", world.progress)
    assert world.store.routing.host_owner("a.test") is None


def change(world: World, routing: Routing, name: str = "shop") -> None:
    """Make this the app's routing."""

    def wanted(_app: App, former: Routing) -> Routing:
        return replace(former, domains=routing.domains)

    world.sites.change(ROOT, name, "changes it", wanted, world.progress)
