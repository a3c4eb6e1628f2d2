"""What nginx tells an app of its client, and what it lets through."""

import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from paas.adapters.logs.log_files import parse_stamp
from paas.adapters.proxy.access_log_file import router_log
from paas.adapters.proxy.nginx.site_conf import CLEARED_HEADERS
from paas.domain.routing.sites import Site
from tests.contract.proxy.haproxy_server import SERVERS
from tests.contract.proxy.nginx_server import (
    WEBSOCKET,
    Nginx,
    application,
    body_of,
    read_answer,
    status_of,
)
from tests.endpoints import at
from tests.waiting import wait_for


@pytest.fixture(scope="module", params=list(SERVERS))
def nginx(request: pytest.FixtureRequest) -> Iterator[Nginx]:
    with SERVERS[request.param]() as server, application() as app, application() as other:
        server.proxy.apply(Site(1, ("a.localhost",), at(app.server_port)))
        server.proxy.apply(Site(2, ("b.localhost",), at(other.server_port)))
        yield server


def test_the_client_is_named_by_the_proxy_alone(nginx: Nginx) -> None:
    """Forwarded headers from outside are replaced, not appended to."""
    seen = nginx.seen(
        "a.localhost",
        "X-Forwarded-For: 6.6.6.6",
        "x-forwarded-for: 7.7.7.7",
        "X-Real-IP: 6.6.6.6",
        "X-Forwarded-Proto: https",
        "X-Forwarded-Host: evil.example",
        "X-Forwarded-Port: 443",
        "X-Request-Id: mine",
    )
    assert seen["x-forwarded-for"] == "127.0.0.1"
    assert seen["x-real-ip"] == "127.0.0.1"
    assert seen["x-forwarded-proto"] == "http"
    assert not {"x-forwarded-host", "x-forwarded-port"} & seen.keys()
    assert seen["host"] == "a.localhost"
    assert re.fullmatch(r"[0-9a-f]{32}", seen["x-request-id"])


def test_headers_that_frameworks_believe_are_cleared(nginx: Nginx) -> None:
    """Forwarded, Proxy and the others never come from outside; ordinary headers do."""
    spoofed = [f"{name}: spoofed" for name in CLEARED_HEADERS]
    seen = nginx.seen("a.localhost", *spoofed, "X-Own: kept")
    assert seen["x-own"] == "kept"
    assert "spoofed" not in seen.values()


def test_headers_with_underscores_are_dropped(nginx: Nginx) -> None:
    """WSGI cannot tell X_Forwarded_For from X-Forwarded-For."""
    seen = nginx.seen("a.localhost", "X_Forwarded_For: 6.6.6.6", "Script_Name: /x")
    assert not [name for name in seen if "_" in name]
    assert "6.6.6.6" not in seen.values()


def test_the_host_keeps_the_port_that_the_client_named(nginx: Nginx) -> None:
    """An app that builds absolute addresses needs it."""
    port = nginx.settings.http_port
    seen = nginx.seen(f"A.localhost:{port}")
    assert seen["host"] == f"a.localhost:{port}"
    assert nginx.seen("a.localhost.")["host"] == "a.localhost"


@pytest.mark.differs(
    "a request line with a different host than its `Host`",
    nginx="the request line decides",
    haproxy="400",
)
def test_a_request_line_with_another_host_decides(nginx: Nginx) -> None:
    """GET http://a/ with Host: b reaches a, with a as the host (RFC 9112, 3.2.2)."""
    answer = nginx.raw(
        b"GET http://a.localhost/ HTTP/1.1\r\nHost: b.localhost:99\r\nConnection: close\r\n\r\n"
    )
    if status_of(answer) != 400:  # HAProxy refuses such a request
        assert b'"host": "a.localhost"' in answer
    assert b"b.localhost" not in answer


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET / HTTP/1.1\r\nHost: a.localhost\r\nHost: b.localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a.localhost/../b\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a.localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"GET / HTTP/1.1\r\nHost: a.localhost\r\nX-A: b\x00c\r\n\r\n",
    ],
)
def test_malformed_requests_reach_no_app(nginx: Nginx, request_bytes: bytes) -> None:
    """Two hosts, none, two lengths: 400, or as HAProxy 2.8 for the last an end without a word."""
    assert status_of(nginx.raw(request_bytes)) in {400, 0}


def test_a_length_beside_chunks_smuggles_nothing(nginx: Nginx) -> None:
    """It is refused, or the chunks alone count and nothing after them does (RFC 9112, 6.3)."""
    answer = nginx.raw(
        b"POST / HTTP/1.1\r\nHost: a.localhost\r\nContent-Length: 60\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        b"GET /smuggled HTTP/1.1\r\nHost: b.localhost\r\n\r\n"
    )
    assert answer.count(b"HTTP/1.1 ") == 1
    if status_of(answer) != 400:
        assert b'"bytes": 0' in answer
        assert b"content-length" not in answer.partition(b"\r\n\r\n")[2]


@pytest.mark.parametrize("host", ["c.localhost", "127.0.0.1", "localhost", "xa.localhost", "_"])
def test_unknown_hosts_reach_no_app(nginx: Nginx, host: str) -> None:
    """No app answers for a host that is not its own, not even with an error page of its own."""
    assert status_of(nginx.get(host)) in {0, 404}
    assert nginx.raw(b"GET / HTTP/1.0\r\n\r\n") == b""


def test_ipv6_clients_are_served(nginx: Nginx) -> None:
    """nginx listens on both, and tells the app the IPv6 address."""
    with socket.create_connection(("::1", nginx.settings.http_port), 120) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a.localhost\r\nConnection: close\r\n\r\n")
        assert b'"x-forwarded-for": "::1"' in read_answer(connection)


def test_websocket_passes(nginx: Nginx) -> None:
    """An upgrade to WebSocket goes through, and bytes go both ways after it."""
    with nginx.connect() as connection:
        connection.sendall(WEBSOCKET)
        answer = connection.recv(4096)
        assert status_of(answer) == 101
        for message in (b"one", b"\x00\xfftwo"):
            connection.sendall(message)
            assert connection.recv(4096) == message


def test_other_upgrades_do_not_pass(nginx: Nginx) -> None:
    """An h2c upgrade would carry requests past the proxy."""
    seen = nginx.seen("a.localhost", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk")
    assert "upgrade" not in seen
    assert seen.get("connection") in {None, "close"}


def test_bodies_up_to_the_limit_pass(nginx: Nginx) -> None:
    """A body that needs nginx's temporary files arrives whole; one above 100 MiB gets 413."""
    head = "POST / HTTP/1.1\r\nHost: a.localhost\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
    size = 3_000_000
    answer = nginx.raw((head % size).encode() + b"x" * size)
    assert b'"bytes": 3000000' in body_of(answer)
    with nginx.connect() as connection:
        connection.sendall((head % (100 * 1024 * 1024 + 1)).encode())
        assert status_of(connection.recv(4096)) == 413


@pytest.mark.differs(
    "names of headers",
    nginx="as the app wrote them",
    haproxy="in lower case",
)
def test_an_app_cannot_redirect_inside_nginx(nginx: Nginx) -> None:
    """X-Accel-Redirect is neither followed nor passed on."""
    answer = nginx.get("a.localhost", "/accel")
    assert status_of(answer) == 200
    assert b"elsewhere" not in answer
    with nginx.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a.localhost\r\n\r\n")
        as_written = b"\r\nContent-Length: " in read_answer(connection)
    assert as_written == nginx.has_pages_for_people_alone


@pytest.mark.differs(
    "an instance that refuses connections",
    nginx="is skipped for each request",
    haproxy="is skipped too, and checked every 2 s (0.5 s while it is down), with three "
    "connections: one for each kind of request",
)
def test_a_refused_connection_goes_to_the_next_instance(nginx: Nginx) -> None:
    """Even a POST: it was never sent."""
    with socket.socket() as closed, application() as app:
        closed.bind(("127.0.0.1", 0))  # bound and not listening: refuses
        nginx.proxy.apply(Site(3, ("c.example",), at(closed.getsockname()[1], app.server_port)))
        request = b"POST / HTTP/1.1\r\nHost: c.example\r\nContent-Length: 1\r\n"
        for _ in range(4):
            assert status_of(nginx.raw(request + b"Connection: close\r\n\r\nx")) == 200
        assert app.count == 4
        nginx.proxy.remove(3)


def _take_and_close(listener: socket.socket) -> None:
    """Close each connection when something has come, until the listener is shut down."""
    with suppress(OSError):
        while True:
            taken, _ = listener.accept()
            with taken:
                taken.recv(4096)


def test_a_post_that_was_sent_is_not_repeated(nginx: Nginx) -> None:
    """An instance that takes a POST and dies: 502, and no other instance gets it."""
    with socket.create_server(("127.0.0.1", 0)) as dying, application() as app:
        nginx.proxy.apply(Site(3, ("c.example",), at(dying.getsockname()[1], app.server_port)))
        statuses = []
        dies = threading.Thread(target=_take_and_close, args=[dying])
        dies.start()
        for _ in range(2):
            with nginx.connect() as connection:
                connection.sendall(
                    b"POST / HTTP/1.1\r\nHost: c.example\r\nContent-Length: 1\r\n\r\nx"
                )
                statuses.append(status_of(connection.recv(4096)))
        nginx.proxy.remove(3)
        dying.shutdown(socket.SHUT_RDWR)
        dies.join()
    assert 502 in statuses
    assert app.count == statuses.count(200)


@pytest.mark.differs(
    "`bytes=` in the log",
    nginx="of the body",
    haproxy="of the whole response",
)
def test_requests_are_logged_in_one_line_each(nginx: Nginx) -> None:
    """A router line has a time with milliseconds, and nothing from outside breaks it."""
    before = time.time() - 0.001  # the log has milliseconds
    nginx.raw(b'GET /?a="b\\\x1b[31m HTTP/1.1\r\nHost: b.localhost\r\nConnection: close\r\n\r\n')
    nginx.get("b.localhost", '/logged?q="x"')
    log = router_log(nginx.settings, 2)
    wait_for(lambda: "/logged" in log.read_text())
    line = next(line for line in log.read_text().splitlines() if "/logged" in line)
    match = re.fullmatch(
        r"(?P<at>\S+) router: method=GET path=\"/logged\?q=\\\"x\\\"\" host=b\.localhost "
        r"status=200 bytes=\d+ upstream=\"127\.0\.0\.1:\d+\" client=127\.0\.0\.1 "
        r"connect=\"[0-9.]+\" (?:upstream_time=\"[0-9.]+\" )?service=[0-9.]+ "
        r"request_id=[0-9a-f]{32}",
        line,
    )
    assert match, line
    assert before <= parse_stamp(match["at"]).timestamp() <= time.time()
    assert "." in match["at"]
    assert "\x1b" not in log.read_text()
    assert log.stat().st_mode & 0o777 == 0o600


def test_a_rotated_log_is_opened_anew(nginx: Nginx) -> None:
    """After the log was renamed and nginx told, its workers write to a new file."""
    log = router_log(nginx.settings, 2)
    log.rename(log.with_name("router.log.1"))
    nginx.proxy.reopen_logs()

    def is_written() -> bool:
        nginx.get("b.localhost", "/anew")
        return log.exists() and "/anew" in log.read_text()

    wait_for(is_written)
    assert log.parent.stat().st_mode & 0o777 == 0o710
