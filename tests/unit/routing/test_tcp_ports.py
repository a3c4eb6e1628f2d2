"""TCP ports of the server: which an app may have, and what becomes of them."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from paas.adapters.proxy.haproxy.site_conf import nginx_part
from paas.adapters.proxy.haproxy.tcp_conf import render_tcp
from paas.adapters.proxy.nginx.http_conf import render_main, render_nginx
from paas.adapters.proxy.nginx.static_files import NO_MODULES, Modules
from paas.adapters.proxy.nginx.stream_conf import render_stream
from paas.domain.routing.router_settings import router_settings
from paas.domain.routing.sites import Site
from paas.domain.routing.tcp_ports import PORTS_MAX, TcpPort, tcp_port
from paas.domain.values.errors import PaasError
from paas.domain.values.names import AppName
from paas.settings import Settings, load
from tests.endpoints import at
from tests.fakes.output import FakeProgress
from tests.fakes.world import ROOT, World

GOLDEN = Path(__file__).parents[1] / "golden"
PORT = TcpPort(5433)
SETTINGS = Settings(tcp_ports=(5_400, 5_499))
STREAM = Modules(stream=True)
ONE = Site(12, ("shop.apps.example.com",), at(20_001), tcp_ports=(5_433,))
MANY = Site(
    7,
    ("shop.localhost",),
    at(20_001, 20_002),
    tcp_ports=(5_434, 5_433, 9_999),
    settings=router_settings({"allow": "192.0.2.0/24 2001:db8::/32", "deny": "192.0.2.1"}, {}),
)
SITES = {"one": ONE, "many": MANY, "closed": replace(ONE, closed=True)}
VARIANTS = {
    **{
        f"tcp-{name}.conf": render_stream(site, SETTINGS, ipv6=True, modules=STREAM)
        for name, site in SITES.items()
    },
    **{
        f"haproxy-tcp-{name}.cfg": render_tcp(site, SETTINGS, ipv6=True)
        for name, site in SITES.items()
    },
    "tcp-main-system.conf": render_main(SETTINGS, modules=STREAM),
    "tcp-nginx-embedded.conf": render_nginx(
        replace(SETTINGS, embedded=True, run=Path("/srv/p/run")), modules=STREAM
    ),
}


@pytest.mark.parametrize("name", sorted(VARIANTS))
def test_the_text_is_the_golden_one(name: str) -> None:
    """A change of the templates shows as a change of these files."""
    assert VARIANTS[name] == (GOLDEN / name).read_text()


def test_nothing_listens_without_ports_or_permission() -> None:
    """No port, none that server.yml allows, no module of nginx, or HAProxy in front of it."""
    for site, settings, modules in (
        (replace(ONE, tcp_ports=()), SETTINGS, STREAM),
        (ONE, Settings(), STREAM),
        (ONE, SETTINGS, NO_MODULES),
        (ONE, replace(SETTINGS, proxy="haproxy"), STREAM),
    ):
        assert render_stream(site, settings, ipv6=True, modules=modules) is None
    assert render_tcp(ONE, Settings(), ipv6=True) is None
    part = nginx_part(replace(ONE, endpoints=()))
    assert part is not None
    assert part.tcp_ports == ()


@pytest.mark.parametrize(
    "text",
    ["", "5433", "tcp:5433", "5433:udp", "05433:tcp", "0:tcp", "65536:tcp", "5433:tcp\n", "-1:tcp",
     "5433:tcp web", "5433:TCP", "\u0665:tcp"],
)  # fmt: skip
def test_what_is_no_port_is_refused(text: str) -> None:
    """With the way to write one."""
    with pytest.raises(PaasError) as caught:
        tcp_port(text)
    assert caught.value.reference == "tcp-port"
    assert caught.value.exit_code == 2
    assert "5433:tcp" in (caught.value.hint or "")


def add(world: World, *ports: int, name: str = "shop", user: str | None = None) -> None:
    """Have ports lead to an app."""
    actor = world.actor(user) if user else ROOT
    world.ports_of_apps.add(actor, name, [*map(TcpPort, ports)], world.progress)


def refusal(world: World, *ports: int, name: str = "shop", user: str | None = None) -> PaasError:
    """Why they may not."""
    with pytest.raises(PaasError) as caught:
        add(world, *ports, name=name, user=user)
    return caught.value


@pytest.fixture
def shop(world: World) -> World:
    """An app that runs."""
    world.app()
    world.push()
    return world


def served(world: World, app_id: int = 1) -> tuple[int, ...]:
    """The ports of an app at the proxy."""
    return world.proxy.by_app[app_id].tcp_ports


def test_a_port_leads_to_the_web_instances_until_it_is_removed(shop: World) -> None:
    """At the proxy and in the listing; through pushes, restarts, scaling, and maintenance."""
    add(shop, 5434, 5433)
    add(shop, 5433)
    listing = shop.ports_of_apps.listing(ROOT, "shop")
    assert [(info.port, info.process, info.fault) for info in listing] == [
        (5433, "web", None),
        (5434, "web", None),
    ]
    shop.push(commit="b" * 40)
    shop.reconcile.run(shop.progress)
    shop.maintenance.set_maintenance(ROOT, "shop", True, shop.progress)
    assert served(shop) == (5433, 5434)
    assert shop.proxy.by_app[1].closed
    shop.ports_of_apps.remove(ROOT, "shop", [TcpPort(5434)], shop.progress)
    assert served(shop) == (5433,)
    with pytest.raises(PaasError, match=r"^shop has no TCP port 5434\.$"):
        shop.ports_of_apps.remove(ROOT, "shop", [TcpPort(5434)], shop.progress)


def test_an_app_that_runs_nothing_yet_can_have_one(world: World) -> None:
    """It is served from the first push on."""
    world.app()
    add(world, 5433)
    assert world.proxy.by_app == {}
    world.push()
    assert served(world) == (5433,)


def test_a_port_is_one_apps(shop: World) -> None:
    """Whoever may not see that app does not learn its name."""
    shop.app("api", shop.user("bob"))
    add(shop, 5433)
    error = refusal(shop, 5433, 5434, name="api")
    assert error.reference == "tcp-port-taken"
    assert "the app shop" in error.message
    assert "paas ports:remove 5433:tcp -a shop" in (error.hint or "")
    error = refusal(shop, 5433, name="api", user="bob")
    assert "shop" not in f"{error.message}{error.hint}"
    assert shop.ports_of_apps.listing(ROOT, "api") == []


def test_the_database_gives_a_port_once(shop: World) -> None:
    """Whatever the services let through; and it is free when its app is gone."""
    shop.app("api")
    add(shop, 5433)
    other = replace(shop.store.routing.of_app(2), tcp_ports=(5433,))
    with pytest.raises(PaasError) as caught:
        shop.store.routing.set(2, other)
    assert caught.value.reference == "tcp-port-taken"
    assert isinstance(caught.value.__cause__, sqlite3.IntegrityError)
    assert shop.store.routing.of_app(2).tcp_ports == ()
    shop.apps.destroy(ROOT, "shop", "shop", shop.progress)
    add(shop, 5433, name="api")
    assert shop.store.routing.tcp_port_owner(5433) == 2


def test_only_ports_of_the_range_can_be_had(shop: World) -> None:
    """And none that another program uses."""
    for port in (5399, 5500, 22, 443):
        assert refusal(shop, port).reference == "tcp-port"
    shop.ports.used.add(5440)
    assert refusal(shop, 5441, 5440).reference == "tcp-port-in-use"
    add(shop, *range(5400, 5400 + PORTS_MAX))
    assert refusal(shop, 5433).reference == "too-many-ports"


def test_a_proxy_that_cannot_says_what_is_missing(shop: World) -> None:
    """When a port is added; and afterwards in the listing, by doctor, and before a change of it."""
    add(shop, 5433)
    shop.proxy.without_tcp = "apt install it"
    assert "apt install it" in refusal(shop, 5434).message
    (info,) = shop.ports_of_apps.listing(ROOT, "shop")
    assert info.fault == "apt install it"
    found = [one for one in shop.doctor.diagnosis.findings() if one.check == "tcp"]
    assert [one.app for one in found] == ["shop"]
    assert "shop: its TCP ports lead nowhere" in shop.proxies.losses(ROOT, "nginx")[0]
    assert shop.proxies.losses(ROOT, "haproxy") == []


def test_a_refused_change_changes_nothing(shop: World) -> None:
    """The proxy is asked first, and the port stays free."""
    shop.proxy.failure = PaasError("proxy-refused", "No.")
    assert refusal(shop, 5433).reference == "proxy-refused"
    assert served(shop) == ()
    assert shop.store.routing.tcp_port_owner(5433) is None


def test_a_copy_of_an_app_has_no_ports(shop: World) -> None:
    """They are the first one's; a new name changes nothing."""
    add(shop, 5433)
    shop.cloning.clone(ROOT, "shop", AppName("copy"), FakeProgress(), deploy=True)
    assert shop.store.routing.of_app(2).tcp_ports == ()
    shop.apps.rename(ROOT, "shop", AppName("store"), shop.progress)
    assert served(shop) == (5433,)


def test_by_default_apps_may_have_none(tmp_path: Path) -> None:
    """The operator chooses a range."""
    world = World(tmp_path, tcp_ports=(0, 0))
    world.app()
    error = refusal(world, 5433)
    assert error.reference == "tcp-ports-off"
    assert "tcp_ports: [5400, 5499]" in (error.hint or "")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("tcp_ports: [80, 90]", "1024"),
        ("tcp_ports: [5499, 5400]", "range"),
        ("tcp_ports: [65000, 65536]", "range"),
        ("tcp_ports: [19000, 20000]", "ports"),
        ("tcp_ports: [31999, 32000]", "service_ports"),
        ("tcp_ports: [30000, 30600]", "registry_port"),
        ("tcp_ports: [2000, 2400]", "2377"),
        ("http_port: 8080\ntcp_ports: [8000, 8100]", "http_port"),
        ("ssh_port: 2222\ntcp_ports: [2222, 2222]", "ssh_port"),
    ],
)
def test_ports_of_the_platform_are_in_no_range(tmp_path: Path, text: str, word: str) -> None:
    """server.yml is refused, with what overlaps."""
    path = tmp_path / "server.yml"
    path.write_text(f"{text}\n")
    with pytest.raises(PaasError) as caught:
        load(path)
    assert "tcp_ports" in caught.value.message
    assert word in caught.value.message


def test_a_range_is_read(tmp_path: Path) -> None:
    """As a list of two; [0, 0] is none."""
    path = tmp_path / "server.yml"
    path.write_text("tcp_ports: [5400, 5499]\n")
    assert load(path).public_ports == ((80, 80), (443, 443), (5400, 5499))
    path.write_text("tcp_ports: [0, 0]\n")
    assert load(path).public_ports == ((80, 80), (443, 443))
