"""Requests that no honest client sends, to a real proxy: what an app gets of them."""

import json
import resource
import socket
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from paas.domain.routing.router_settings import router_settings
from paas.domain.routing.sites import Redirect, Site, SlugFolder, Static
from tests.contract.proxy.haproxy_server import SERVERS, Haproxy
from tests.contract.proxy.nginx_server import (
    Nginx,
    application,
    body_of,
    read_all,
    status_of,
)
from tests.endpoints import at

POST = b"POST / HTTP/1.1\r\nHost: a.localhost\r\nConnection: close\r\n"
GET = b"GET / HTTP/1.1\r\nConnection: close\r\n"
CHUNKS = b"\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: b.localhost\r\n\r\n"


@dataclass
class Pair:
    """Two apps behind one proxy, and what they were asked for."""

    nginx: Nginx
    apps: tuple[list[str], list[str]]

    @property
    def mends(self) -> bool:
        """Whether it is HAProxy, which makes some of these requests plain ones."""
        return isinstance(self.nginx, Haproxy)


@pytest.fixture(
    scope="module",
    params=[("nginx", "on"), ("nginx", "off"), ("haproxy", "off")],
    ids=["buffered", "streamed", "haproxy"],
)
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    """nginx with bodies read whole before the app sees them, and without; HAProxy."""
    kind, buffering = request.param
    settings = router_settings({"proxy-request-buffering": buffering}, {})
    with SERVERS[kind]() as server, application() as app, application() as other:
        hosts = ("a.localhost", "*.w.example.com")
        moved = (Redirect("*.old.example.com", "a.localhost"),)
        server.proxy.apply(Site(1, hosts, at(app.server_port), settings=settings, redirects=moved))
        server.proxy.apply(Site(2, ("b.localhost",), at(other.server_port)))
        yield Pair(server, (app.paths, other.paths))


FRAMING = [
    POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n",
    POST + b"Transfer-Encoding: chunked, identity\r\n",
    POST + b"Transfer-Encoding: identity\r\nContent-Length: 6\r\n",
    POST + b"Transfer-Encoding: xchunked\r\n",
    POST + b"Transfer-Encoding: \x0bchunked\r\nContent-Length: 6\r\n",
    POST + b"Transfer-Encoding : chunked\r\nContent-Length: 6\r\n",
    POST + b"X-A: b\rTransfer-Encoding: chunked\r\nContent-Length: 6\r\n",
    POST + b"X\0A: b\r\nContent-Length: 6\r\n",
    POST + b"Content-Length: 6\r\nContent-Length: 60\r\n",
    POST + b"Content-Length: +6\r\n",
    POST + b"Content-Length: -6\r\n",
    POST + b"Content-Length: 0x6\r\n",
    POST + b"Content-Length: 99999999999999999999\r\n",
    POST + b"Content-Length:\r\n",
    POST.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n",
    GET + b"Host: a.localhost\r\nHost: b.localhost\r\n",
    GET + b"Host: a.localhost, b.localhost\r\n",
    GET + b"Host : a.localhost\r\n",
    GET + b"Host: a.localhost..\r\n",
    GET + b"Host: a.localhost\r\n X: folded\r\n",
]
MENDED = [
    (POST + b"Content-Length: 60\r\nTransfer-Encoding: chunked\r\n", 0),
    (POST + b"Transfer-Encoding: chunked\r\nContent-Length: 60\r\n", 0),
    (POST + b"Transfer-Encoding:\tchunked\r\n", 0),
    (POST + b"Transfer-Encoding:\r\n chunked\r\nContent-Length: 60\r\n", 0),
    (POST + b"X-A: b\r\n Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", 5),
    (POST + b"Content-Length: 5\r\nContent-Length: 5\r\n", 5),
    (POST + b"Content-Length: 5, 5\r\n", 5),
    (GET + b"Host: a.localhost\r\nHost: a.localhost\r\n", 0),
]


@pytest.mark.differs(
    "data that is not an HTTP request, or of an unknown transfer coding",
    nginx="the platform's page, 400 or 501",
    haproxy="HAProxy's own text, 400 or 422",
)
@pytest.mark.parametrize("lines", FRAMING, ids=lambda lines: repr(lines[-60:]))
def test_ambiguous_framing_is_refused(pair: Pair, lines: bytes) -> None:
    """One answer, a refusal, and the connection ends: no second reader can see another request."""
    answer = pair.nginx.raw(lines + CHUNKS)
    if answer or not pair.mends:  # HAProxy 2.8 closes without a word where two lengths differ
        assert status_of(answer) in {400, 501}
        assert answer.count(b"HTTP/1.1 ") == 1
        assert pair.mends or b"<small>" in answer  # the platform's page, not nginx's own
    assert not any("/smuggled" in asked for asked in pair.apps)


@pytest.mark.differs(
    "ambiguous framing: a length together with chunks, the same length or the same `Host` twice, "
    "folded lines",
    nginx="400",
    haproxy="normalised: the app gets one request with one length; the chunks count (RFC 9112, "
    "6.3)",
)
@pytest.mark.parametrize(("lines", "size"), MENDED, ids=lambda value: repr(value)[-60:])
def test_framing_in_doubt_is_refused_or_made_plain(pair: Pair, lines: bytes, size: int) -> None:
    """nginx refuses these as well; from HAProxy the app gets one request, with one length."""
    answer = pair.nginx.raw(lines + CHUNKS)
    assert answer.count(b"HTTP/1.1 ") == 1
    assert not any("/smuggled" in asked for asked in pair.apps)
    if not pair.mends:
        assert status_of(answer) in {400, 501}
        assert b"<small>" in answer  # the platform's page, not nginx's own
        return
    assert status_of(answer) == 200
    seen = json.loads(body_of(answer))
    assert seen["bytes"] == size
    assert not {"content-length", "transfer-encoding"} <= set(seen["headers"])
    assert seen["headers"]["host"] == "a.localhost"


@pytest.mark.parametrize(
    "chunks",
    [
        b"-1\r\n\r\n",
        b"0x3\r\nabc\r\n0\r\n\r\n",
        b"ffffffffffffffffff\r\na\r\n",
        b"3\r\nabcd\r\n0\r\n\r\n",
        b" 3\r\nabc\r\n0\r\n\r\n",
        b"\r\n0\r\n\r\n",
    ],
)
def test_broken_chunks_are_refused(pair: Pair, chunks: bytes) -> None:
    """Also where the body goes to the app as it comes."""
    answer = pair.nginx.raw(POST + b"Transfer-Encoding: chunked\r\n\r\n" + chunks)
    assert status_of(answer) == 400


@pytest.mark.parametrize(
    ("request_bytes", "size"),
    [
        (POST + b"X-A: b\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 3),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n3\nabc\n0\n\n", 3),
        (POST + b"Transfer_Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 5),
        (POST + b"X-Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 5),
        (POST.replace(b"\r", b"") + b"Content-Length: 4\n\nabcd", 4),
        (GET + b"Host: a.localhost\r\nContent-Length: 23\r\n\r\nGET /smuggled HTTP/1.1\n\n", 23),
    ],
)
def test_what_is_taken_the_app_reads_alike(pair: Pair, request_bytes: bytes, size: int) -> None:
    """Bare line feeds and a body with a GET: framed again for the app, which sees one request."""
    answer = pair.nginx.raw(request_bytes)
    if b"3\nabc" in request_bytes and status_of(answer) == 400:
        return  # HAProxy 3.0 and Nginx 1.30 take no chunks with bare line feeds.
    assert status_of(answer) == 200
    assert b'"bytes": %d}' % size in answer
    assert answer.count(b"HTTP/1.1 ") == 1
    assert not any("/smuggled" in asked for asked in pair.apps)


def test_pipelined_requests_are_answered_in_order(pair: Pair) -> None:
    """Each by the app that its own Host names."""
    hosts = (b"a.localhost", b"b.localhost", b"nobody.localhost")
    ends = (b"", b"", b"Connection: close\r\n")
    lines = [
        b"GET /pipe HTTP/1.1\r\nHost: " + host + b"\r\n" + end + b"\r\n"
        for host, end in zip(hosts, ends, strict=True)
    ]
    answer = pair.nginx.raw(b"".join(lines))
    first, second, *_ = (part for part in answer.split(b"HTTP/1.1 ") if part)
    assert b'"host": "a.localhost"' in first
    assert b'"host": "b.localhost"' in second
    assert [asked[-1] for asked in pair.apps] == ["/pipe", "/pipe"]


@pytest.mark.differs(
    "a path with a segment `..`, also as `%2e%2e`",
    nginx="400 if it leads out of the root",
    haproxy="400",
)
@pytest.mark.differs(
    "`HTTP/2.0`, an overlong line, invalid methods or targets",
    nginx="400, 414, 405, 400",
    haproxy="400 or 405, an overlong line 414",
)
@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"GET http://b.localhost@a.localhost/ HTTP/1.1", 400),
        (b"GET http:/// HTTP/1.1", 400),
        (b"CONNECT a.localhost:22 HTTP/1.1", 400),
        (b"TRACE / HTTP/1.1", 405),
        (b"OPTIONS * HTTP/1.1", 400),
        (b"GET / HTTP/2.0", 400),
        (b"GET / HTTP/0.9", 400),
        (b"PRI * HTTP/2.0", 400),
        (b"GET /a b HTTP/1.1", 400),
        (b"GET /a\x01b HTTP/1.1", 400),
        (b"GET /%00 HTTP/1.1", 400),
        (b"GET /../../etc/passwd HTTP/1.1", 400),
        (b"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1", 400),
        (b"GET /" + b"a" * 40_000 + b" HTTP/1.1", 414),
    ],
    ids=lambda value: repr(value[:40]) if isinstance(value, bytes) else str(value),
)
def test_odd_request_lines_reach_no_app(pair: Pair, line: bytes, status: int) -> None:
    """Other targets than paths, other protocols, and what leads out of the root."""
    answer = pair.nginx.raw(line + b"\r\nHost: a.localhost\r\nConnection: close\r\n\r\n")
    # HAProxy does not tell most of them apart; Nginx 1.30 has 405 for CONNECT, earlier ones 400.
    either = (pair.mends and status != 414) or line.startswith(b"CONNECT ")
    assert status_of(answer) in ({400, 405} if either else {status})
    assert {path for asked in pair.apps for path in asked} <= {"/", "/pipe"}


@pytest.mark.parametrize(
    "more",
    [
        b"".join(b"X-%d: a\r\n" % n for n in range(10_000)),
        b"Cookie: " + b"a" * 40_000 + b"\r\n",
        b"".join(b"Cookie: c%d=%s\r\n" % (n, b"a" * 4_000) for n in range(40)),
        b"X-" + b"a" * 40_000 + b": a\r\n",
    ],
    ids=["10,000 headers", "a long cookie", "many cookies", "a long name"],
)
def test_headers_are_bounded(pair: Pair, more: bytes) -> None:
    """nginx: 128 KiB for all of them, 32 for each. HAProxy: 32 KiB for all."""
    assert status_of(pair.nginx.raw(GET + b"Host: a.localhost\r\n" + more + b"\r\n")) in {400, 431}


def test_no_header_of_the_proxy_can_be_taken_away(pair: Pair) -> None:
    """Connection names headers for this hop alone: the proxy sets its own after that."""
    hop = "Connection: close, X-Forwarded-For, X-Real-IP, X-Forwarded-Proto, Host, X-Request-Id"
    found = pair.nginx.raw(f"GET / HTTP/1.1\r\nHost: a.localhost\r\n{hop}\r\n\r\n".encode())
    seen = json.loads(body_of(found))["headers"]
    assert seen["x-forwarded-for"] == seen["x-real-ip"] == "127.0.0.1"
    assert seen["host"] == "a.localhost"
    assert seen.get("connection") in {None, "close"}


@pytest.mark.differs(
    "`Expect: 100-continue`",
    nginx="answered by Nginx",
    haproxy="passed on to the app, which answers it, or the client continues after a timeout",
)
def test_the_client_is_told_to_go_on(pair: Pair) -> None:
    """Expect: 100-continue is handled by nginx; HAProxy passes the app's word on."""
    with pair.nginx.connect() as connection:
        connection.sendall(POST + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
        connection.sendall(b"abc")
        answer = read_all(connection)
    assert b'"bytes": 3}' in answer
    assert (b"expect" in answer) == pair.mends


@pytest.mark.parametrize(
    "host", ['a"<b>', "evil.example?", "evil.example#", "a|b", "x@evil", "\\evil", "ä", "-a", ""]
)
def test_below_a_wildcard_a_host_is_a_name(pair: Pair, host: str) -> None:
    """Any other text would stand in redirects, and in the addresses that the app makes."""
    for below in ("w.example.com", "old.example.com"):
        line = f"GET / HTTP/1.1\r\nHost: {host}.{below}\r\nConnection: close\r\n\r\n"
        assert status_of(pair.nginx.raw(line.encode())) == 400
    assert status_of(pair.nginx.get("a_b.x-1.w.example.com")) == 200


@pytest.mark.parametrize(
    ("host", "path"),
    [
        ("guarded.localhost", "/.well-known/acme-challenge/../../secret"),
        ("guarded.localhost", "/.well-known/acme-challenge/..%2f../secret"),
        ("guarded.localhost", "/.well-known/acme-challenge/%2e%2e/%2E./secret"),
        ("guarded.localhost", "/static/../secret"),
        ("guarded.localhost:80:90", "/secret"),
        ("guarded.localhost..", "/secret"),
        ("[guarded.localhost]", "/secret"),
    ],
)
def test_nobody_comes_past_the_guards_of_an_app(pair: Pair, host: str, path: str) -> None:
    """HAProxy checks them, and nginx behind it does not again: they must not read it otherwise."""
    with application() as app:
        settings = router_settings({"deny": "127.0.0.0/8"}, {})
        slug = SlugFolder(pair.nginx.settings.state, "static")
        statics = (Static("/static", (slug,), "no-cache"),)
        guarded = ("guarded.localhost",)
        pair.nginx.proxy.apply(
            Site(3, guarded, at(app.server_port), settings=settings, statics=statics)
        )
        assert status_of(pair.nginx.get("guarded.localhost")) == 403
        assert status_of(pair.nginx.get(host, path)) in {0, 400, 403, 404}
        pair.nginx.proxy.remove(3)
        assert app.paths == []


# How bodies are read is no matter here.
@pytest.mark.parametrize(
    "pair", [("nginx", "on"), ("haproxy", "off")], ids=["nginx", "haproxy"], indirect=True
)
def test_2000_half_sent_headers_harm_nobody_else(pair: Pair) -> None:
    """From one address, for both ports of a server as it is installed; others are answered."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 8192)), hard))
    slow: list[socket.socket] = []
    try:
        for _ in range(2000):
            slow.append(pair.nginx.connect())
            slow[-1].sendall(b"GET / HTTP/1.1\r\nHost: a.localhost\r\nX-A: ")
        for _ in range(20):
            for host in ("a.localhost", "b.localhost"):
                assert status_of(pair.nginx.get(host)) == 200
        # They get no longer than 20 s for their headers, and no answer of the app's.
        slow[0].settimeout(60)
        assert status_of(slow[0].recv(4096)) in {0, 408}
    finally:
        for connection in slow:
            connection.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_slow_clients_starve_nobody(pair: Pair) -> None:
    """300 that never end their headers, and 300 that never end their body."""
    slow: list[socket.socket] = []
    try:
        for head in (
            b"GET / HTTP/1.1\r\nHost: a.localhost\r\nX-A: ",
            POST + b"Content-Length: 9\r\n\r\n1",
        ):
            for _ in range(300):
                slow.append(pair.nginx.connect())
                slow[-1].sendall(head)
        for host in ("a.localhost", "b.localhost"):
            assert status_of(pair.nginx.get(host)) == 200
    finally:
        for connection in slow:
            connection.close()
