"""What each router setting makes of requests, on nginx and HAProxy."""

import base64
import hashlib
import re
import socket
from collections.abc import Callable, Iterator

import pytest

from paas.adapters.system.passwords import hash_password
from paas.domain.routing.router_settings import RouterSettings, router_settings
from paas.domain.routing.sites import Site
from paas.domain.values.secret import Secret
from tests.contract.proxy.haproxy_server import SERVERS
from tests.contract.proxy.nginx_server import (
    WEBSOCKET,
    Nginx,
    application,
    body_of,
    nginx_server,
    status_of,
)
from tests.endpoints import at
from tests.waiting import wait_for

HOST = "a.localhost"
SiteWith = Callable[..., Nginx]


@pytest.fixture(scope="module", params=list(SERVERS))
def running(request: pytest.FixtureRequest) -> Iterator[tuple[Nginx, int]]:
    with SERVERS[request.param]() as server, application() as app:
        yield server, app.server_port


@pytest.fixture
def site_with(running: tuple[Nginx, int]) -> SiteWith:
    """Serves the application with these settings: keys with underscores for dashes."""
    server, port = running

    def make(
        *, users: dict[str, str] | None = None, headers: dict[str, str] | None = None, **keys: str
    ) -> Nginx:
        values = {name.replace("_", "-"): value for name, value in keys.items()}
        values |= {f"header.{name}": value for name, value in (headers or {}).items()}
        settings = router_settings(values, users or {})
        server.proxy.apply(Site(1, (HOST,), at(port), settings=settings))
        return server

    return make


@pytest.mark.differs(
    "a limit for chunked bodies, or over HTTP/2 without a length",
    nginx="`client-max-body-size`",
    haproxy="none: the app has to count",
)
def test_bodies_are_limited(site_with: SiteWith) -> None:
    """One byte more is answered with 413."""
    nginx = site_with(client_max_body_size="1k")
    for size, status in ((1024, 200), (1025, 413)):
        head = f"POST / HTTP/1.0\r\nHost: {HOST}\r\nContent-Length: {size}\r\n\r\n"
        assert status_of(nginx.raw(head.encode() + b"x" * size)) == status
    head = f"POST / HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n"
    chunks = b"\r\n401\r\n" + b"x" * 1025 + b"\r\n0\r\n\r\n"
    counts = nginx.has_pages_for_people_alone
    assert status_of(nginx.raw(head.encode() + chunks)) == (413 if counts else 200)


@pytest.mark.differs(
    "`client-body-timeout`",
    nginx="between two parts of a body",
    haproxy="none: always 60 s",
)
def test_a_body_that_does_not_go_on_ends() -> None:
    """The app, which gets whole bodies from nginx, does not notice it."""
    with nginx_server() as nginx, application() as app:
        settings = router_settings({"client-body-timeout": "1s"}, {})
        nginx.proxy.apply(Site(1, (HOST,), at(app.server_port), settings=settings))
        with nginx.connect() as connection:
            head = f"POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 9\r\n\r\n1"
            connection.sendall(head.encode())
            connection.settimeout(150)
            assert status_of(connection.recv(4096)) in {0, 408}
        assert app.paths == []


def test_requests_beyond_the_rate_are_answered_with_429(site_with: SiteWith) -> None:
    """The burst is let through at once, and another address has a rate of its own."""
    nginx = site_with(rate_limit="1r/m", rate_limit_burst="2")
    assert [status_of(nginx.get(HOST)) for _ in range(5)] == [200, 200, 200, 429, 429]
    connection = socket.create_connection(
        ("127.0.0.1", nginx.settings.http_port), 120, source_address=("127.0.0.9", 0)
    )
    with connection:
        connection.sendall(f"GET / HTTP/1.0\r\nHost: {HOST}\r\n\r\n".encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 200")


def test_connections_are_limited(site_with: SiteWith) -> None:
    """One that waits for the app counts; the next of the same address gets 429."""
    with application() as slow:
        nginx = site_with(connection_limit="1")
        settings = router_settings({"connection-limit": "1"}, {})
        nginx.proxy.apply(Site(1, (HOST,), at(slow.server_port), settings=settings))
        with nginx.connect() as first:
            first.sendall(f"GET /slow HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
            assert slow.slow_started.wait(150)
            assert status_of(nginx.get(HOST)) == 429


def test_visitors_log_in(site_with: SiteWith) -> None:
    """With name and password; and the app is behind it, not the answer to ACME's challenge."""
    nginx = site_with(users={"alice": hash_password(Secret("geheim:ä"))})
    good = base64.b64encode("alice:geheim:ä".encode()).decode()
    wrong = base64.b64encode(b"alice:geheim").decode()
    assert status_of(nginx.get(HOST)) == 401
    assert status_of(nginx.get(HOST, "/", f"Authorization: Basic {wrong}")) == 401
    assert status_of(nginx.get(HOST, "/", f"Authorization: Basic {good}")) == 200
    assert status_of(nginx.get(HOST, "/.well-known/acme-challenge/x")) == 404


def test_nginxs_file_of_logins_goes_with_them() -> None:
    """One for the present site, none for a site without; only nginx and root may read it."""
    with nginx_server() as nginx:
        for user in ("alice", "bob"):
            settings = router_settings({}, {user: hash_password(Secret("a"))})
            nginx.proxy.apply(Site(1, (HOST,), (), settings=settings))
        (path,) = (nginx.settings.state / "nginx/logins").iterdir()
        assert path.stat().st_mode & 0o777 == 0o640
        assert path.read_text().startswith("bob:$2b$")
        nginx.proxy.apply(Site(1, (HOST,), ()))
        assert not list((nginx.settings.state / "nginx/logins").iterdir())


@pytest.mark.parametrize(
    ("keys", "status"),
    [
        ({"allow": "127.0.0.0/8"}, 200),
        ({"allow": "192.0.2.0/24, 2001:db8::/32"}, 403),
        ({"deny": "127.0.0.1"}, 403),
        ({"deny": "192.0.2.1"}, 200),
        ({"allow": "127.0.0.0/8", "deny": "127.0.0.1"}, 403),
    ],
)
def test_addresses_are_let_in_or_not(
    site_with: SiteWith, keys: dict[str, str], status: int
) -> None:
    """Denied ones first; and with any that are allowed, nobody else."""
    assert status_of(site_with(**keys).get(HOST)) == status


def test_headers_are_added_to_every_answer(site_with: SiteWith) -> None:
    """To the app's own, and to the platform's."""
    headers = {"X-Frame-Options": "DENY", "Content-Security-Policy": "default-src 'self'; x {}"}
    nginx = site_with(headers=headers)
    assert b"\r\nX-Frame-Options: DENY\r\n" in nginx.get(HOST)
    assert b"\r\nContent-Security-Policy: default-src 'self'; x {}\r\n" in nginx.get(HOST)
    settings = router_settings({"header.X-Own": "1"}, {})
    nginx.proxy.apply(Site(1, (HOST,), (), settings=settings))
    assert b"\r\nX-Own: 1\r\n" in nginx.get(HOST)


def test_a_trusted_balancer_is_believed(site_with: SiteWith) -> None:
    """Its client's address and scheme; of several addresses the last that is not trusted."""
    nginx = site_with(trusted_proxies="127.0.0.0/8 192.0.2.0/24")
    seen = nginx.seen(
        HOST, "X-Forwarded-For: 6.6.6.6, 203.0.113.7, 192.0.2.8", "X-Forwarded-Proto: https"
    )
    assert seen["x-forwarded-for"] == "203.0.113.7"
    assert seen["x-real-ip"] == "203.0.113.7"
    assert seen["x-forwarded-proto"] == "https"
    assert nginx.seen(HOST, "X-Forwarded-Proto: gopher")["x-forwarded-proto"] == "http"


def test_balancers_may_be_many_and_add_ports(site_with: SiteWith) -> None:
    """As some clouds do: one inside of another, and addresses of both families with ports."""
    nginx = site_with(trusted_proxies="127.0.0.0/8 10.1.1.0/24 2001:db8:ffff::/48")
    inner = ", ".join(f"10.1.1.{number}" for number in range(1, 6))
    for told, client in (
        (f"6.6.6.6, 9.9.9.9, {inner}", "9.9.9.9"),
        ("9.9.9.9:4711, 10.1.1.1:80", "9.9.9.9"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("2001:db8::1, [2001:db8:ffff::7]:443", "2001:db8::1"),
    ):
        assert nginx.seen(HOST, f"X-Forwarded-For: {told}")["x-forwarded-for"] == client


def test_nobody_else_is_believed(site_with: SiteWith) -> None:
    """Whatever they send."""
    nginx = site_with(trusted_proxies="192.0.2.0/24")
    seen = nginx.seen(HOST, "X-Forwarded-For: 6.6.6.6", "X-Forwarded-Proto: https")
    assert seen["x-forwarded-for"] == "127.0.0.1"
    assert seen["x-forwarded-proto"] == "http"


def test_a_balancers_client_is_limited_not_the_balancer(site_with: SiteWith) -> None:
    """Limits and allowed addresses are of the client behind it."""
    nginx = site_with(trusted_proxies="127.0.0.1", deny="203.0.113.7")
    assert status_of(nginx.get(HOST, "/", "X-Forwarded-For: 203.0.113.7")) == 403
    assert status_of(nginx.get(HOST, "/", "X-Forwarded-For: 203.0.113.8")) == 200


def test_clients_of_ipv6_are_limited_by_network(site_with: SiteWith) -> None:
    """Each has at least 2**64 addresses; IPv4-mapped ones are counted separately."""
    nginx = site_with(
        **{"trusted-proxies": "127.0.0.0/8", "rate-limit": "1r/m", "rate-limit-burst": "0"}
    )

    def status_for(address: str) -> int:
        return status_of(nginx.get(HOST, "/", f"X-Forwarded-For: {address}"))

    assert status_for("2001:db8:1:2::1") == 200
    assert status_for("2001:db8:1:2:ffff::a0a:a0a") == 429
    assert status_for("2001:db8:1:3::1") == 200
    for address in ("192.0.2.1", "192.0.2.2", "::ffff:192.0.2.3", "::ffff:192.0.2.4"):
        assert (status_for(address), status_for(address)) == (200, 429)


@pytest.mark.differs(
    "`brotli`",
    nginx="with Debian's module",
    haproxy="no",
)
@pytest.mark.differs(
    "`gzip`",
    nginx="from 1 KiB on",
    haproxy="responses of any length",
)
def test_answers_are_compressed(site_with: SiteWith) -> None:
    """Where the client takes it, of what is worth it; off until asked for."""
    wants = "Accept-Encoding: gzip"
    long = f"X-Long: {'x' * 2000}"
    assert b"Content-Encoding" not in site_with().get(HOST, "/json", wants, long)
    answer = site_with(gzip="on").get(HOST, "/json", wants, long)
    assert b"\r\nContent-Encoding: gzip\r\n" in answer
    assert b"\r\nVary: Accept-Encoding\r\n" in answer
    proxy = site_with()
    assert proxy.has_pages_for_people_alone or proxy.proxy.cannot("brotli", "on")


@pytest.mark.differs(
    "`proxy-send-timeout`",
    nginx="between two writes to the app",
    haproxy="none: `proxy-read-timeout` applies in both directions",
)
def test_slow_answers_end_with_the_timeout(site_with: SiteWith) -> None:
    """With 504."""
    with application() as slow:
        nginx = site_with()
        settings = router_settings({"proxy-read-timeout": "1s"}, {})
        nginx.proxy.apply(Site(1, (HOST,), at(slow.server_port), settings=settings))
        assert status_of(nginx.get(HOST, "/slow")) == 504


def test_a_websocket_may_idle_longer(site_with: SiteWith) -> None:
    """Than an ordinary request waits for its answer."""
    nginx = site_with(proxy_read_timeout="3s", websocket_timeout="1h")
    with nginx.connect() as connection:
        connection.sendall(WEBSOCKET)
        assert connection.recv(1000).startswith(b"HTTP/1.1 101")
        connection.settimeout(4)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        connection.settimeout(60)
        connection.sendall(b"still there")
        assert connection.recv(100) == b"still there"


@pytest.mark.differs(
    "request bodies",
    nginx="read whole before the app sees them",
    haproxy="passed on as they arrive: a slow client keeps a worker of the app busy. Gunicorn's "
    "`gthread` or an async server suits it better than its plain workers.",
)
@pytest.mark.differs(
    "responses",
    nginx="buffered for slow clients",
    haproxy="passed on as they arrive; `proxy-buffering` and `proxy-request-buffering` have no "
    "effect",
)
def test_what_is_not_buffered_arrives_at_once(site_with: SiteWith) -> None:
    """The app sees a request before its body is whole."""
    with application() as app:
        nginx = site_with()
        settings = router_settings({"proxy-request-buffering": "off"}, {})
        nginx.proxy.apply(Site(1, (HOST,), at(app.server_port), settings=settings))
        with nginx.connect() as connection:
            head = f"GET /slow HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 10\r\n\r\n12345"
            connection.sendall(head.encode())
            assert app.slow_started.wait(150)
            app.slow_may_end.set()
            connection.sendall(b"67890")
            wait_for(lambda: app.count == 1)


def test_defaults_are_the_defaults(site_with: SiteWith) -> None:
    """A site without settings is one with the usual ones."""
    nginx = site_with()
    assert Site(1, (HOST,), ()).settings == RouterSettings() == router_settings({}, {})
    assert b'"port"' in body_of(nginx.get(HOST))


@pytest.mark.parametrize("kind", SERVERS)
def test_a_sticky_client_comes_back_to_its_instance(kind: str) -> None:
    """By a cookie; to another only while its own refuses connections."""
    with SERVERS[kind]() as nginx, application() as one, application() as two:
        ports = (one.server_port, two.server_port)
        settings = router_settings({"sticky-sessions": "on", "header.X-Own": "1"}, {})
        nginx.proxy.apply(Site(1, (HOST,), at(*ports), settings=settings))
        first = nginx.get(HOST)
        assert b"\r\nX-Own: 1\r\n" in first
        match = re.search(rb"\r\nSet-Cookie: (paas_instance=[0-9a-f]+);", first)
        assert match is not None
        cookie = f"Cookie: {match[1].decode()}"
        answers = [nginx.get(HOST, "/", cookie) for _ in range(10)]
        assert {body_of(answer)[:15] for answer in answers} == {body_of(first)[:15]}
        assert not any(b"Set-Cookie" in answer for answer in answers)
        assert len({body_of(nginx.get(HOST))[:15] for _ in range(10)}) == 2
        alive = nginx.get(HOST, "/", "Cookie: paas_instance=0000000000000000")
        assert b"Set-Cookie: paas_instance=" in alive


@pytest.mark.parametrize("kind", SERVERS)
def test_a_sticky_client_moves_on_from_an_instance_that_is_gone(kind: str) -> None:
    """And is given the cookie of the one that answered."""
    with SERVERS[kind]() as nginx, application() as app, socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        ports = (closed.getsockname()[1], app.server_port)
        settings = router_settings({"sticky-sessions": "on"}, {})
        nginx.proxy.apply(Site(1, (HOST,), at(*ports), settings=settings))
        gone = hashlib.sha256(f"1:{ports[0]}".encode()).hexdigest()[:16]
        answer = nginx.get(HOST, "/", f"Cookie: paas_instance={gone}")
        assert status_of(answer) == 200
        there = hashlib.sha256(f"1:{ports[1]}".encode()).hexdigest()[:16]
        assert f"Set-Cookie: paas_instance={there};".encode() in answer


@pytest.mark.differs(
    "which instance has the fewest connections",
    nginx="counted over all requests",
    haproxy="counted separately for each kind of request: `GET` without a body, requests that may "
    "have trailers (chunked, or over HTTP/2 with a body of undeclared length), and all others",
)
@pytest.mark.parametrize("kind", SERVERS)
def test_requests_go_where_the_fewest_are(kind: str) -> None:
    """Not in turn: an instance with a slow request gets fewer of the next ones."""
    with SERVERS[kind]() as nginx, application() as one, application() as two:
        nginx.proxy.apply(Site(1, (HOST,), at(one.server_port, two.server_port)))
        with nginx.connect() as waiting:
            waiting.sendall(f"GET /slow HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
            wait_for(lambda: one.slow_started.is_set() or two.slow_started.is_set())
            busy, idle = (one, two) if one.slow_started.is_set() else (two, one)
            before = busy.count, idle.count
            for _ in range(20):
                nginx.get(HOST)
            more = busy.count - before[0], idle.count - before[1]
        # In turn it would be 10 and 10. A few may go to the other one: HAProxy can count a request
        # as under way for a moment after its client has the whole answer.
        assert sum(more) == 20
        assert more[0] <= 5
