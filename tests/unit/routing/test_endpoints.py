"""Where instances listen: what is an endpoint, and how the proxies name those of other hosts."""

from pathlib import Path

import pytest

from paas.adapters.proxy.haproxy.site_conf import server_line
from paas.adapters.proxy.nginx.site_conf import render_site
from paas.domain.routing.endpoints import Endpoint, on_loopback
from paas.domain.routing.router_settings import router_settings
from paas.domain.routing.sites import Site
from paas.settings import Settings

HERE, THERE = on_loopback(5000), Endpoint("10.0.0.7", 5000)


@pytest.mark.parametrize(
    ("host", "port"),
    [
        ("127.0.0.1", 0),
        ("127.0.0.1", 65_536),
        ("127.0.0.1", -1),
        ("localhost", 5000),
        ("::1", 5000),
        ("", 5000),
        ("127.0.0.1\n", 5000),
        ("127.0.0.1; return 200", 5000),
    ],
)
def test_what_is_no_endpoint(host: str, port: int) -> None:
    """Nothing but an IPv4 address and a TCP port can come into a proxy's files."""
    with pytest.raises(ValueError):
        Endpoint(host, port)


def test_one_port_of_two_hosts_is_two_instances() -> None:
    """In HAProxy by name, and for a client's cookie; on loopback the port alone says which."""
    here, there = (server_line(1, one, sticky=True) for one in (HERE, THERE))
    assert here.startswith("s5000 127.0.0.1:5000 check ")
    assert there.startswith("s10.0.0.7-5000 10.0.0.7:5000 check ")
    assert here.rpartition(" ")[2] != there.rpartition(" ")[2]


def test_nginx_knows_each_by_its_address() -> None:
    """Also who answered, which it tells by an address that is matched as a pattern."""
    sticky = router_settings({"sticky-sessions": "on"}, {})
    site = Site(1, ("a.test",), (HERE, THERE), settings=sticky)
    text = render_site(site, Settings(state=Path("/state")), ipv6=False)
    assert "server 127.0.0.1:5000 max_fails=1 fail_timeout=10s;" in text
    assert "server 10.0.0.7:5000 max_fails=1 fail_timeout=10s;" in text
    assert r"(?:.*, )?10\.0\.0\.7:5000$" in text


@pytest.mark.parametrize(
    ("host", "remote"),
    [
        ("127.0.0.1", False),
        ("127.0.0.2", False),
        ("10.212.0.9", False),
        ("10.215.255.254", False),
        ("10.216.0.1", True),
        ("192.0.2.1", True),
    ],
)
def test_what_is_on_another_machine(host: str, remote: bool) -> None:
    """Neither loopback nor the networks of this machine's apps and containers."""
    assert Endpoint(host, 5000).is_remote(Settings().own_networks) is remote


def test_one_instance_alone_is_waited_for_as_long_as_the_app_says() -> None:
    """A short limit helps only where there is another instance."""
    site = Site(1, ("a.test",), (THERE,))
    text = render_site(site, Settings(state=Path("/state")), ipv6=False)
    assert "proxy_connect_timeout 5s;" in text
    assert "server 10.0.0.7:5000 max_fails=0;" in text
