"""Python's application servers behind the proxy: the client's address, and early answers.

Each runs the app of `python_servers`.
"""

import json
import socket
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.e2e.python_servers import FILES, SERVERS, WITHOUT_ADDRESS
from tests.e2e.server import DOMAIN, Repository, Server, User, installed
from tests.waiting import wait_for

UPLOAD_BYTES = 5_000_000
# The address from which an app in a network of its own gets its requests.
GATEWAY = "10.213.255.254"
# The ones that most apps have; the others are tried with -m long.
OFTEN = ("gunicorn", "gunicorn-threads", "uvicorn")
# Those of which uploads are tried.
ANSWER_EARLY = ("gunicorn", "gunicorn-threads", "uvicorn", "granian", "granian-asgi", "hypercorn")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, User]]:
    """A server with that app in a network of its own, which believes a balancer on this machine."""
    with installed(Server.in_new_directory({"app_networks": True})) as server:
        alice = server.user("alice")
        folder = tmp_path_factory.mktemp("servers") / "app"
        alice.ssh("apps:create", "servers")
        alice.ssh("config:set", "-a", "servers", f"SERVE={SERVERS['gunicorn']}")
        alice.ssh("nginx:set", "servers", "trusted-proxies", "127.0.0.1")
        alice.push(Repository.of(folder, FILES), "servers")
        yield server, alice


def test_gunicorn_takes_headers_as_large_as_the_proxy_does(served: tuple[Server, User]) -> None:
    """Cookies of single sign-on; Gunicorn's own limit is 8,190 bytes."""
    server, alice = served
    alice.ssh("config:set", "-a", "servers", f"SERVE={SERVERS['gunicorn-threads']}")
    assert server.get("servers", headers={"Cookie": "a=" + "x" * 30_000}).status == 200


def statuses(
    server: Server, count: int, at_once: int, path: str = "/login-first"
) -> Mapping[int, int]:
    """The statuses of so many uploads that are answered before they are read."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: servers.{DOMAIN}\r\nConnection: close\r\n"
        f"Content-Length: {UPLOAD_BYTES}\r\n\r\n"
    ).encode()

    def upload(_: int) -> int:
        with socket.create_connection(("127.0.0.1", server.http_port), 120) as connection:
            connection.sendall(head + b"x" * UPLOAD_BYTES)
            answer = b""
            while part := connection.recv(4096):
                answer += part
            return int(answer.split(b" ", 2)[1])

    with ThreadPoolExecutor(at_once) as pool:
        return Counter(pool.map(upload, range(count)))


@pytest.mark.parametrize(
    "name",
    [name if name in OFTEN else pytest.param(name, marks=pytest.mark.long) for name in SERVERS],
)
def test_each_server_behind_the_proxy(served: tuple[Server, User], name: str) -> None:
    """It knows the visitor, and a login check on an upload of 5 MB is 401, and never 502."""
    server, alice = served
    alice.ssh("config:set", "-a", "servers", f"SERVE={SERVERS[name]}")
    _knows_the_visitor(server, name)
    for buffering in ("on", "off") if name in ANSWER_EARLY else ():
        alice.ssh("nginx:set", "servers", "proxy-request-buffering", buffering)
        assert statuses(server, 10, 1) == {401: 10}
        assert statuses(server, 60, 10) == {401: 60}
        assert statuses(server, 10, 5, "/undeclared") == {401: 10}
    if name == "gunicorn":
        wait_for(
            lambda: "own hook /login-first" in alice.ssh("logs", "-a", "servers").stdout,
            what="the line of the app's own hook",
        )


def _knows_the_visitor(server: Server, name: str) -> None:
    """url_for(_external=True) begins with https, and the client is the visitor, not the gateway."""
    told = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.9"}
    answer = json.loads(server.get("servers", headers=told).text)
    assert answer["url"] == f"https://servers.{DOMAIN}:{server.http_port}/"
    assert answer["client"] == (GATEWAY if name in WITHOUT_ADDRESS else "192.0.2.9")
    plain = json.loads(server.get("servers").text)
    assert plain["url"].startswith("http://")


@pytest.fixture(scope="module")
def behind_haproxy(served: tuple[Server, User]) -> Iterator[tuple[Server, User]]:
    """The same, with HAProxy as the proxy."""
    served[0].paas("proxy:set", "haproxy")
    yield served
    served[0].paas("proxy:set", "nginx")


@pytest.mark.long
@pytest.mark.parametrize(
    "name", ["gunicorn-threads", "gunicorn-uvicorn", "uvicorn", "granian-asgi", "hypercorn"]
)
def test_it_arrives_behind_haproxy_as_well(behind_haproxy: tuple[Server, User], name: str) -> None:
    """Whose client may still be sending."""
    server, alice = behind_haproxy
    alice.ssh("config:set", "-a", "servers", f"SERVE={SERVERS[name]}")
    assert statuses(server, 10, 1) == {401: 10}
    assert statuses(server, 60, 10) == {401: 60}
