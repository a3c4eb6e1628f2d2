"""Balancers in front: they say who a client is by the PROXY protocol, and ask if the proxy runs.

The protocol: https://www.haproxy.org/download/2.8/doc/proxy-protocol.txt.
"""

import json
import socket
import ssl
from collections.abc import Iterator
from dataclasses import replace

import pytest

from paas.adapters.proxy.access_log_file import router_log
from paas.domain.routing.router_settings import router_settings
from paas.domain.routing.sites import Site
from tests.contract.proxy.haproxy_server import SERVERS
from tests.contract.proxy.nginx_server import Nginx, application, body_of, read_all, status_of
from tests.endpoints import at
from tests.waiting import wait_for

HOST = "a.localhost"
CLIENT = b"PROXY TCP4 203.0.113.7 192.0.2.1 4711 80\r\n"
CLIENT_6 = b"PROXY TCP6 2001:db8::7 2001:db8::1 4711 80\r\n"
# Version 2, LOCAL: a connection of the balancer's own, as its health checks are.
LOCAL = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"
HEALTH = "/.well-known/paas/health"
STRICT = router_settings({"rate-limit": "1r/m", "allow": "192.0.2.0/24"}, {"alice": "$2b$05$hash"})
REQUEST = (
    b"GET / HTTP/1.1\r\nHost: a.localhost\r\nX-Forwarded-For: 6.6.6.6\r\n"
    b"X-Forwarded-Proto: https\r\nConnection: close\r\n\r\n"
)


@pytest.fixture(scope="module", params=list(SERVERS))
def nginx(request: pytest.FixtureRequest) -> Iterator[Nginx]:
    """A server with a site, behind a balancer at 127.0.0.1."""
    with SERVERS[request.param]() as nginx, application() as app:
        settings = replace(nginx.settings, proxy_protocol=True, trusted_proxies="127.0.0.1")
        proxy = type(nginx.proxy)(settings)
        sites = [
            Site(1, (HOST, "*.w.localhost"), at(app.server_port)),
            Site(2, ("closed.localhost",), (), closed=True),
            Site(3, ("strict.localhost",), at(app.server_port), settings=STRICT),
        ]
        proxy.restore(sites)
        yield nginx


def answer(nginx: Nginx, head: bytes, source: str = "127.0.0.1", request: bytes = REQUEST) -> bytes:
    """What comes for a connection that begins so; nothing where it is closed at once."""
    address = ("127.0.0.1", nginx.settings.http_port)
    with socket.create_connection(address, 120, (source, 0)) as connection:
        try:
            connection.sendall(head + request)
            return read_all(connection)
        except ConnectionError:
            return b""


@pytest.mark.parametrize(
    ("head", "client"),
    [
        (CLIENT, "203.0.113.7"),
        (CLIENT_6, "2001:db8::7"),
        (b"PROXY UNKNOWN\r\n", "127.0.0.1"),
        (LOCAL, "127.0.0.1"),
    ],
)
def test_a_balancer_says_who_the_client_is(nginx: Nginx, head: bytes, client: str) -> None:
    """Its word counts, and no header: those come from the client itself."""
    headers = json.loads(body_of(answer(nginx, head)))["headers"]
    assert headers["x-forwarded-for"] == headers["x-real-ip"] == client
    assert headers["x-forwarded-proto"] == "http"


@pytest.mark.parametrize("head", [b"", b"PROXY TCP4 203.0.113.7 nonsense\r\n"])
def test_nothing_else_is_understood_from_it(nginx: Nginx, head: bytes) -> None:
    """The connection ends without an answer."""
    assert answer(nginx, head) == b""


def test_nobody_else_can_say_so(nginx: Nginx) -> None:
    """Either is refused, or has the address that he comes from."""
    got = answer(nginx, CLIENT, source="127.0.0.2")
    assert b"203.0.113.7" not in got
    if status_of(got) == 200:
        assert json.loads(body_of(got))["headers"]["x-forwarded-for"] == "127.0.0.2"


def test_it_stands_before_the_handshake_of_tls(nginx: Nginx) -> None:
    """The handshake comes to the name, which no certificate covers."""
    with socket.create_connection(("127.0.0.1", nginx.settings.https_port), 120) as connection:
        connection.sendall(CLIENT)
        with pytest.raises(ssl.SSLError, match="UNRECOGNIZED_NAME"):
            ssl.create_default_context().wrap_socket(connection, server_hostname=HOST)


def health(nginx: Nginx, line: str, *headers: str) -> bytes:
    """What a balancer gets that asks so."""
    text = "".join(f"{one}\r\n" for one in (line, *headers, "Connection: close", ""))
    return answer(nginx, LOCAL, request=text.encode())


@pytest.mark.parametrize(
    "host",
    [
        *(HOST, "a.w.localhost", "closed.localhost", "strict.localhost", "x.example.com"),
        *("192.0.2.1", "192.0.2.1:80", "[2001:db8::1]:80"),
    ],
)
def test_a_balancer_learns_that_the_proxy_runs(nginx: Nginx, host: str) -> None:
    """By any host: an app's, though it is closed, limited or has logins; nobody's; an address."""
    for _ in range(3):
        got = health(nginx, f"GET {HEALTH} HTTP/1.1", f"Host: {host}")
        assert (status_of(got), body_of(got)) == (200, b"ok\n")
        assert b"Cache-Control: no-store" in got or b"cache-control: no-store" in got


def test_how_balancers_ask(nginx: Nginx) -> None:
    """HAProxy's check has no host; nothing but looking is answered, and no path beside it."""
    for line in (f"OPTIONS {HEALTH} HTTP/1.0", f"HEAD {HEALTH}?x=1 HTTP/1.0"):
        assert status_of(health(nginx, line)) == 200
    asked = f"POST {HEALTH} HTTP/1.1", "Content-Length: 0"
    assert status_of(health(nginx, *asked, "Host: x.example.com")) == 405
    assert status_of(health(nginx, *asked, f"Host: {HOST}")) == 405
    beside = health(nginx, f"GET {HEALTH}/x HTTP/1.1", f"Host: {HOST}")
    assert "port" in json.loads(body_of(beside))


def test_looking_is_not_logged(nginx: Nginx) -> None:
    """Not for the app whose host was named, nor for any other."""
    health(nginx, f"GET {HEALTH} HTTP/1.1", f"Host: {HOST}")
    health(nginx, "GET /noted HTTP/1.1", f"Host: {HOST}")
    log = router_log(nginx.settings, 1)
    wait_for(lambda: log.exists() and "/noted" in log.read_text(), what="the line")
    assert f'method=GET path="{HEALTH}"' not in log.read_text()
