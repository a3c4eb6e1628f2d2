"""Trailers of requests: no header may reach an app behind a body, where the proxy sets none."""

import re
import socket
import socketserver
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime

import pytest

from paas.adapters.certificates.files import CertificateDirectory
from paas.adapters.certificates.reader import X509Reader
from paas.domain.routing.sites import Certificate, Site
from tests.authority import Authority
from tests.contract.proxy.haproxy_server import SERVERS
from tests.contract.proxy.http2_client import Headers, Http2Client, asking, secure_connection
from tests.contract.proxy.nginx_server import Nginx, read_all, status_of
from tests.endpoints import at
from tests.waiting import wait_for

NAME = "a.example.com"
HEAD = (
    f"POST /p HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
).encode()
TRAILERS = (
    ("X-Forwarded-For", "6.6.6.6"),
    ("X-Forwarded-Proto", "https"),
    ("X-User", "6.6.6.6"),
    ("Host", "6.6.6.6"),
)
LINES = "".join(f"{name}: {value}\r\n" for name, value in TRAILERS).encode()
FORGED = b"6.6.6.6"
BODY = b"5\r\nhello\r\n0\r\n" + LINES + b"\r\n"
_WHOLE = re.compile(rb"(?s).*\r\n\r\n(?:.*\r\n)?0\r\n(?:[^\r\n]+\r\n)*\r\n")


class _Recorder(socketserver.BaseRequestHandler):
    """Keeps every byte that comes, and answers once the request is whole."""

    server: "_Application"

    def handle(self) -> None:
        self.request.settimeout(60)
        got = bytearray()
        self.server.got.append(got)
        with suppress(OSError):
            while not _is_whole(bytes(got)) and (part := self.request.recv(65536)):
                got += part
            self.request.sendall(
                b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
            )
            # What is behind a request that had ended is one more request to some servers.
            self.request.shutdown(socket.SHUT_WR)
            while part := self.request.recv(65536):
                got += part


def _is_whole(got: bytes) -> bool:
    head, end, body = got.partition(b"\r\n\r\n")
    if re.search(rb"(?i)\r\ntransfer-encoding: chunked", head):
        return _WHOLE.fullmatch(got) is not None
    length = re.search(rb"(?i)\r\ncontent-length: ([0-9]+)", head)
    return bool(end) and len(body) >= (int(length[1]) if length else 0)


class _Application(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Recorder)
        self.got: list[bytearray] = []


@pytest.fixture(scope="module", params=list(SERVERS))
def served(request: pytest.FixtureRequest) -> Iterator[tuple[Nginx, _Application]]:
    with SERVERS[request.param]() as proxy, _Application() as app:
        threading.Thread(target=app.serve_forever, args=(0.01,), daemon=True).start()
        files = CertificateDirectory(proxy.settings.state / "certs")
        files.write("1-00000001", X509Reader().read(Authority().bundle(NAME), datetime.now(UTC)))
        paths = files.paths("1-00000001")
        assert paths
        shown = (Certificate(*paths, (NAME,)),)
        port = app.server_address[1]
        proxy.proxy.apply(Site(1, (NAME,), at(port), certificates=shown))
        proxy.proxy.apply(Site(2, ("plain.example.com",), at(port)))
        yield proxy, app
        app.shutdown()


def send(proxy: Nginx, parts: Sequence[bytes], *, secure: bool) -> bytes:
    """The answer to a request whose parts come in packets of their own."""
    plain = proxy.connect()
    connection: socket.socket = plain
    if secure:
        plain.close()
        connection = secure_connection(proxy, NAME, "http/1.1")
    with connection:
        for part in parts:
            connection.sendall(part if secure else part.replace(b"a.ex", b"plain.ex"))
            time.sleep(0.05)
        return read_all(connection)


SPLITS = {
    "in one packet": (HEAD + b"5\r\nhello\r\n0\r\n" + LINES + b"\r\n",),
    "after the body": (HEAD + b"5\r\nhello\r\n", b"0\r\n" + LINES + b"\r\n"),
    "after the last chunk": (HEAD, b"5\r\nhello\r\n0\r\n", LINES + b"\r\n"),
    "without a body": (HEAD + b"0\r\n" + LINES + b"\r\n",),
    "in two packets": (HEAD + b"5\r\nhello\r\n0\r\n" + LINES[:30], LINES[30:] + b"\r\n"),
    "behind more than a buffer": (
        HEAD + b"8000\r\n" + b"x" * 0x8000 + b"\r\n0\r\n" + LINES + b"\r\n",
    ),
    "behind a full buffer": (HEAD + b"3b00\r\n" + b"x" * 0x3B00 + b"\r\n0\r\n" + LINES + b"\r\n",),
    "of a would-be WebSocket": (
        HEAD.replace(b"POST", b"GET").replace(b"close", b"close, upgrade\r\nUpgrade: websocket")
        + b"0\r\n"
        + LINES
        + b"\r\n",
    ),
}


@pytest.mark.differs(
    "headers after the body of a request (trailers)",
    nginx="not passed on; over HTTP/2 Nginx 1.22 closes the connection",
    haproxy="400, because some servers, such as uvicorn, would treat them as headers",
)
@pytest.mark.parametrize("split", list(SPLITS))
@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_no_trailer_of_a_request_reaches_the_app(
    served: tuple[Nginx, _Application], split: str, secure: bool
) -> None:
    """uvicorn takes them for headers: they would forge address, scheme and host."""
    proxy, app = served
    before = len(app.got)
    answer = send(proxy, SPLITS[split], secure=secure)
    assert status_of(answer) in {200, 400}
    if status_of(answer) == 200:
        wait_for(lambda: len(app.got) > before)
    assert FORGED not in b"".join(app.got)


def chunked(method: str, version: str, *headers: str) -> bytes:
    """The head of a request that has these headers, in place of HEAD's that says chunked."""
    lines = (f"{method} /p {version}", f"Host: {NAME}", "Connection: close", *headers, "", "")
    return "\r\n".join(lines).encode()


CHUNKED = "Transfer-Encoding: chunked"
# Heads by which a request could look like one that has no trailers.
DISGUISES = {
    "GET": chunked("GET", "HTTP/1.1", CHUNKED),
    "HEAD": chunked("HEAD", "HTTP/1.1", CHUNKED),
    "in other letters": chunked("POST", "HTTP/1.1", "tRANSFER-eNCODING: Chunked"),
    "without a space": chunked("POST", "HTTP/1.1", "Transfer-Encoding:chunked"),
    "with a tab": chunked("POST", "HTTP/1.1", "Transfer-Encoding:\tchunked\t"),
    "behind gzip": chunked("POST", "HTTP/1.1", "Transfer-Encoding: gzip, chunked"),
    "in a second line": chunked("POST", "HTTP/1.1", "Transfer-Encoding: gzip", CHUNKED),
    "twice": chunked("POST", "HTTP/1.1", CHUNKED, CHUNKED),
    "behind an empty one": chunked("POST", "HTTP/1.1", "Transfer-Encoding:", CHUNKED),
    "with a parameter": chunked("POST", "HTTP/1.1", "Transfer-Encoding: chunked;a=b"),
    "folded": chunked("POST", "HTTP/1.1", "Transfer-Encoding:\r\n chunked"),
    "with an underscore": chunked("POST", "HTTP/1.1", "Transfer_Encoding: chunked"),
    "a space before the colon": chunked("POST", "HTTP/1.1", "Transfer-Encoding : chunked"),
    "with a length": chunked("POST", "HTTP/1.1", "Content-Length: 5", CHUNKED),
    "with a length of nothing": chunked("POST", "HTTP/1.1", CHUNKED, "Content-Length: 0"),
    "of HTTP/1.0": chunked("POST", "HTTP/1.0", CHUNKED),
    "of HTTP/1.0, kept alive": chunked("POST", "HTTP/1.0", "Connection: keep-alive", CHUNKED),
    "named by Connection": chunked("POST", "HTTP/1.1", "Connection: transfer-encoding", CHUNKED),
    "that upgrades to HTTP/2": chunked(
        "POST", "HTTP/1.1", "Connection: upgrade, HTTP2-Settings", "Upgrade: h2c", CHUNKED
    ),
    "that is announced": chunked("POST", "HTTP/1.1", "Trailer: X-User", "TE: trailers", CHUNKED),
    "that asks to go on": chunked("POST", "HTTP/1.1", "Expect: 100-continue", CHUNKED),
    "behind another request": f"GET / HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode() + HEAD,
}


@pytest.mark.parametrize("disguise", list(DISGUISES))
@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_no_request_slips_past_with_trailers(
    served: tuple[Nginx, _Application], disguise: str, secure: bool
) -> None:
    """However it says that its body is in chunks."""
    proxy, app = served
    head = DISGUISES[disguise]
    for parts in ((head + BODY,), (head, BODY), (head + BODY[:10], BODY[10:])):
        with suppress(ConnectionError):
            send(proxy, parts, secure=secure)
    _assert_nothing_forged(proxy, app)


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("size", [0, 5, 0x3BFF, 40_000])
def test_chunks_without_trailers_arrive(
    served: tuple[Nginx, _Application], size: int, secure: bool
) -> None:
    """Whole, whatever their size."""
    proxy, app = served
    before = len(app.got)
    body = f"{size:x}\r\n".encode() + b"y" * size + b"\r\n" if size else b""
    answer = send(proxy, (HEAD + body, b"0\r\n\r\n"), secure=secure)
    assert status_of(answer) == 200
    wait_for(lambda: len(app.got) > before)
    assert app.got[-1].count(b"y") == size


def trailers_over_http2(
    proxy: Nginx, headers: Headers, body: bytes, *, at_once: bool = True
) -> str:
    """The status of the answer to a request with trailers. at_once: in as few packets as go."""
    with suppress(OSError), secure_connection(proxy, NAME, "h2") as channel:
        client = Http2Client(channel)
        client.h2.send_headers(1, list(headers), end_stream=False)
        for start in range(0, len(body), 10_000):
            _pause(client, at_once)
            client.h2.send_data(1, body[start : start + 10_000])
        _pause(client, at_once)
        trailers = [(name.lower(), value) for name, value in TRAILERS if name != "Host"]
        client.h2.send_headers(1, trailers, end_stream=True)
        client.flush()
        return client.answer()[0]
    return "closed"


def _pause(client: Http2Client, at_once: bool) -> None:
    if not at_once:
        client.flush()
        time.sleep(0.05)


@pytest.mark.parametrize("at_once", [True, False], ids=["at once", "in parts"])
@pytest.mark.parametrize("body", [b"", b"hello", b"x" * 20_000], ids=len)
@pytest.mark.parametrize(
    ("method", "length"),
    [("POST", False), ("POST", True), ("GET", False)],
    ids=["POST", "POST with a length", "GET"],
)
def test_no_trailer_over_http2_reaches_the_app(
    served: tuple[Nginx, _Application], body: bytes, method: str, length: bool, at_once: bool
) -> None:
    """Nor one of HTTP/2, with and without a length (RFC 9113, 8.1)."""
    proxy, app = served
    headers = [(":method", method), *asking(host=NAME)[1:]]
    headers += [("content-length", str(len(body)))] if length else []
    status = trailers_over_http2(proxy, headers, body, at_once=at_once)
    assert status in {"200", "400", "reset", "closed"}
    _assert_nothing_forged(proxy, app)


HTTP2_DISGUISES = {
    "a length that is too small": [("content-length", "1")],
    "a length of nothing": [("content-length", "0")],
    "a length that is too large": [("content-length", "900")],
    "a length twice": [("content-length", "5"), ("content-length", "5")],
    "chunks": [("transfer-encoding", "chunked")],
    "chunks and a length": [("transfer-encoding", "chunked"), ("content-length", "5")],
    "an upgrade": [("connection", "upgrade"), ("upgrade", "websocket")],
    "announced": [("te", "trailers"), ("trailer", "x-user")],
    "asks to go on": [("expect", "100-continue")],
}


@pytest.mark.parametrize("disguise", list(HTTP2_DISGUISES))
def test_no_http2_request_slips_past_with_trailers(
    served: tuple[Nginx, _Application], disguise: str
) -> None:
    """Whatever it says of its length."""
    proxy, app = served
    headers = [(":method", "POST"), *asking(*HTTP2_DISGUISES[disguise], host=NAME)[1:]]
    for at_once in (True, False):
        trailers_over_http2(proxy, headers, b"hello", at_once=at_once)
    _assert_nothing_forged(proxy, app)


def test_no_trailer_of_a_websocket_over_http2_reaches_the_app(
    served: tuple[Nginx, _Application],
) -> None:
    """RFC 8441: its stream is open, though no body follows."""
    proxy, app = served
    first = ((":method", "CONNECT"), (":protocol", "websocket"))
    for body in (b"", b"hello"):
        for at_once in (True, False):
            headers = (*first, *asking(host=NAME)[1:])
            trailers_over_http2(proxy, headers, body, at_once=at_once)
    _assert_nothing_forged(proxy, app)


def _assert_nothing_forged(proxy: Nginx, app: _Application) -> None:
    # The app has all that comes by the time that it has the next request.
    before = len(app.got)
    assert status_of(send(proxy, (HEAD + b"0\r\n\r\n",), secure=True)) == 200
    wait_for(lambda: len(app.got) > before)
    assert FORGED not in b"".join(app.got)
