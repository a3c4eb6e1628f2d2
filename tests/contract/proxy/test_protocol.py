"""Balancers in front that say who a client is by the PROXY protocol (proxy-protocol.txt)."""

import json
import socket
import ssl
from collections.abc import Iterator
from dataclasses import replace

import pytest

from paas.domain.routing.sites import Site
from tests.contract.proxy.haproxy_server import SERVERS
from tests.contract.proxy.nginx_server import Nginx, application, body_of, read_all, status_of
from tests.endpoints import at

HOST = "a.localhost"
CLIENT = b"PROXY TCP4 203.0.113.7 192.0.2.1 4711 80\r\n"
CLIENT_6 = b"PROXY TCP6 2001:db8::7 2001:db8::1 4711 80\r\n"
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
        proxy.restore([Site(1, (HOST,), at(app.server_port))])
        yield nginx


def answer(nginx: Nginx, head: bytes, source: str = "127.0.0.1") -> bytes:
    """What comes for a connection that begins so; nothing where it is closed at once."""
    address = ("127.0.0.1", nginx.settings.http_port)
    with socket.create_connection(address, 10, (source, 0)) as connection:
        try:
            connection.sendall(head + REQUEST)
            return read_all(connection)
        except ConnectionError:
            return b""


@pytest.mark.parametrize(
    ("head", "client"),
    [(CLIENT, "203.0.113.7"), (CLIENT_6, "2001:db8::7"), (b"PROXY UNKNOWN\r\n", "127.0.0.1")],
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
    with socket.create_connection(("127.0.0.1", nginx.settings.https_port), 10) as connection:
        connection.sendall(CLIENT)
        with pytest.raises(ssl.SSLError, match="UNRECOGNIZED_NAME"):
            ssl.create_default_context().wrap_socket(connection, server_hostname=HOST)
