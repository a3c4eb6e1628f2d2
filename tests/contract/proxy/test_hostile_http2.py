"""HTTP/2 over TLS as no browser speaks it, and names that were not asked for in the handshake."""

import contextlib
import json
import re
import select
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings
import pytest
from h2.errors import ErrorCodes

from paas.adapters.certificates.files import CertificateDirectory
from paas.adapters.certificates.reader import X509Reader
from paas.adapters.proxy.access_log_file import router_log
from paas.domain.routing.router_settings import router_settings
from paas.domain.routing.sites import Certificate, Site
from tests.authority import Authority
from tests.contract.proxy.haproxy_server import SERVERS
from tests.contract.proxy.http2_client import (
    Headers,
    Http2Client,
    asking,
    secure_connection,
    text_of,
)
from tests.contract.proxy.nginx_server import Nginx, application
from tests.endpoints import at
from tests.waiting import wait_for

A, B, PLAIN = "a.example.com", "b.example.com", "plain.example.com"
_CONNECT_PROTOCOL = h2.settings.SettingCodes.ENABLE_CONNECT_PROTOCOL


@dataclass
class Secure:
    """Two apps with certificates and one without, and what they were asked for."""

    nginx: Nginx
    asked: tuple[list[str], list[str], list[str]]

    def connect(self, name: str, protocol: str = "h2") -> ssl.SSLSocket:
        """A client that asks for that name in the handshake and believes any certificate."""
        return secure_connection(self.nginx, name, protocol)

    def get(self, name: str, headers: Headers, body: bytes = b"") -> tuple[str, bytes]:
        """Status and body of one request; ``reset`` or ``closed`` where there is no answer."""
        with self.connect(name) as channel:
            client = Http2Client(channel)
            client.request(headers, body)
            return client.answer()


@pytest.fixture(scope="module", params=list(SERVERS))
def secure(request: pytest.FixtureRequest) -> Iterator[Secure]:
    with (
        SERVERS[request.param]() as nginx,
        application() as a,
        application() as b,
        application() as plain,
    ):
        files = CertificateDirectory(nginx.settings.state / "certs")
        for number, name, app in ((1, A, a), (2, B, b)):
            id = f"{number}-00000001"
            bundle = Authority().bundle(name)
            files.write(id, X509Reader().read(bundle, datetime.now(UTC)))
            paths = files.paths(id)
            assert paths
            shown = (Certificate(*paths, (name,)),)
            nginx.proxy.apply(Site(number, (name,), at(app.server_port), certificates=shown))
        nginx.proxy.apply(Site(3, (PLAIN,), at(plain.server_port)))
        yield Secure(nginx, (a.paths, b.paths, plain.paths))


def test_the_host_decides_and_not_the_name_of_the_handshake(secure: Secure) -> None:
    """One connection for two apps, as browsers share them: each gets its own requests."""
    status, body = secure.get(A, asking(host=B))
    assert status == "200"
    assert f'"host": "{B}"'.encode() in body
    assert (len(secure.asked[0]), len(secure.asked[1])) == (0, 1)


@pytest.mark.parametrize("host", [PLAIN, "nobody.example.com", "127.0.0.1"])
@pytest.mark.parametrize("protocol", ["h2", "http/1.1"])
def test_a_host_without_a_certificate_is_misdirected(
    secure: Secure, host: str, protocol: str
) -> None:
    """No app's answer and not nginx's own page, but 421: browsers then ask again, by that name."""
    if protocol == "h2":
        status, body = secure.get(A, asking(host=host))
    else:
        with secure.connect(A, protocol) as channel:
            channel.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            found = b""
            while part := channel.recv(65536):
                found += part
        status, body = found.split(b" ", 2)[1].decode(), found
        assert re.search(rb"(?i)\r\nX-Request-Id: [0-9a-f]{32}\r\n", found)
    assert status == "421"
    assert b"Welcome" not in body
    assert b"nginx/" not in body
    assert b"Please load the page again" in body
    assert secure.asked[2] == []


@pytest.mark.parametrize(
    "headers",
    [
        asking(("host", B)),
        asking(("host", A), ("host", A)),
        asking((":path", "/smuggled")),
        asking((":authority", B)),
        asking((":method", "POST")),
        asking(("x-a", "b\r\nX-Forwarded-For: 6.6.6.6")),
        asking(("x-a", "b\nX-Forwarded-For: 6.6.6.6")),
        asking(("x-a", "b\0c")),
        asking(("x-a: b\r\nx-c", "d")),
        asking(("X-A", "upper case")),
        asking(("transfer-encoding", "chunked")),
        asking(("connection", "x-forwarded-for")),
        asking(("content-length", "1"), ("content-length", "2")),
        asking(("content-length", "5")),
        asking(path="/a b HTTP/1.1\r\nHost: x\r\n"),
        asking(path="smuggled"),
        asking(path=""),
        asking(host=f"{B}@{A}"),
        asking(host=f"{A}/{B}"),
        asking(host=f"{A} {B}"),
        asking()[1:],
        (asking()[0], *asking()[2:]),
        asking()[:3],
        (("x-a", "first"), *asking()),
        asking((":x", "unknown")),
    ],
    ids=lambda headers: repr([pair for pair in headers if pair not in asking()]),
)
def test_what_cannot_be_said_in_http_1_never_comes_out_as_it(
    secure: Secure, headers: Headers
) -> None:
    """Refused; or passed on as one request, to the host of :authority, with nothing added to it."""
    before = [len(asked) for asked in secure.asked]
    status, body = secure.get(A, headers, b"GET /smuggled HTTP/1.1\r\n\r\n")
    new = [asked[n:] for asked, n in zip(secure.asked, before, strict=True)]
    assert new[1:] == [[], []]
    assert new[0] in ([], ["/"])
    assert b"6.6.6.6" not in body
    assert b"smuggled" not in body
    if status == "200":
        seen = json.loads(body)["headers"]
        assert seen["host"] == A
        # HAProxy passes a body on as it comes: in chunks of its own, where it has no length.
        assert seen.get("transfer-encoding") in {None, "chunked"}
        assert not {"content-length", "transfer-encoding"} <= set(seen)
        assert seen.get("connection") in {None, "close"}


@pytest.mark.parametrize("size", [1, 5_000])
def test_a_refusal_is_an_answer_also_where_the_body_comes_later(secure: Secure, size: int) -> None:
    """And no broken stream, which clients take for a failure of the network: no error is said."""
    with secure.connect(A) as channel:
        client = Http2Client(channel)
        headers = asking(("content-length", str(size)), host="nobody.example.com")
        client.h2.send_headers(1, [(":method", "POST"), *headers[1:]], end_stream=False)
        client.flush()
        time.sleep(0.05)
        with contextlib.suppress(h2.exceptions.StreamClosedError):
            client.h2.send_data(1, b"x" * size, end_stream=True)
        client.flush()
        channel.settimeout(60)
        frames = b""
        answers: list[h2.events.ResponseReceived] = []
        with contextlib.suppress(TimeoutError):
            while data := channel.recv(65536):
                frames += data
                events = client.h2.receive_data(data)
                answers += [e for e in events if isinstance(e, h2.events.ResponseReceived)]
                if answers:
                    channel.settimeout(0.3)  # what may follow
    (answer,) = answers
    assert text_of(dict(answer.headers or ())[b":status"]) == "421"
    assert set(reset_codes(frames)) <= {ErrorCodes.NO_ERROR}


def test_a_body_that_is_too_large_gets_a_page(secure: Secure) -> None:
    """Not a stream that breaks off while it is being sent, which browsers call a network error."""
    name = "limited.example.com"
    files = CertificateDirectory(secure.nginx.settings.state / "certs")
    files.write("4-00000001", X509Reader().read(Authority().bundle(name), datetime.now(UTC)))
    paths = files.paths("4-00000001")
    assert paths
    settings = router_settings({"client-max-body-size": "1m"}, {})
    shown = (Certificate(*paths, (name,)),)
    secure.nginx.proxy.apply(Site(4, (name,), at(1), certificates=shown, settings=settings))
    with secure.connect(name) as channel:
        client = Http2Client(channel)
        head = asking(("content-length", "3000000"), ("accept", "text/html"), host=name)
        client.h2.send_headers(1, [(":method", "POST"), *head[1:]], end_stream=False)
        left, frames, page, status = 3_000_000, b"", b"", ""
        while "</html>" not in page.decode():
            size = min(left, 16_384, client.h2.local_flow_control_window(1))
            if size > 0:
                client.h2.send_data(1, bytes(size))
                left -= size
            client.flush()
            if size > 0 and not select.select([channel], [], [], 0)[0] and not channel.pending():
                continue
            frames += (data := channel.recv(65536))
            assert data
            for event in client.h2.receive_data(data):
                if isinstance(event, h2.events.ResponseReceived):
                    status = text_of(dict(event.headers or ())[b":status"])
                elif isinstance(event, h2.events.DataReceived):
                    page += event.data or b""
    assert status == "413"
    assert b"This is too large" in page
    assert set(reset_codes(frames)) <= {ErrorCodes.NO_ERROR}
    secure.nginx.proxy.remove(4)


def reset_codes(frames: bytes) -> list[int]:
    """The error codes of the RST_STREAM frames among these (RFC 9113, 4.1 and 6.4)."""
    codes = []
    while frames:
        size, kind = int.from_bytes(frames[:3], "big"), frames[3]
        codes += [int.from_bytes(frames[9:13], "big")] if kind == 3 else []
        frames = frames[9 + size :]
    return codes


def test_an_upgrade_to_http2_in_the_clear_is_not_made(secure: Secure) -> None:
    """Neither by Upgrade: h2c nor by knowing it beforehand."""
    upgrade = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk"
    answer = secure.nginx.raw(
        f"GET / HTTP/1.1\r\nHost: {PLAIN}\r\nConnection: close\r\n{upgrade}\r\n\r\n".encode()
    )
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"h2c" not in answer
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    assert secure.nginx.raw(preface).startswith(b"HTTP/1.1 400 ")


def test_the_log_has_the_path_of_a_request_alone(secure: Secure) -> None:
    """As over HTTP/1, without scheme and host."""
    assert secure.get(A, asking(path="/logged?a=%20b"))[0] == "200"
    log = router_log(secure.nginx.settings, 1)
    wait_for(lambda: "/logged" in log.read_text())
    assert ' path="/logged?a=%20b" ' in log.read_text()


@pytest.mark.differs(
    "an HTTP/2 connection whose streams are reset as soon as they are open (rapid reset)",
    nginx="beyond 64 requests at once and 2,000 a second, those of a connection wait, which costs "
    "little if they are reset meanwhile; it ends after 1,000 requests, as any does",
    haproxy="once 300 streams in a second had no answer, more are refused with little work, and "
    "the connection ends (HAProxy 2.6 cannot end it while all its streams are reset)",
)
def test_rapid_resets_starve_nobody(secure: Secure) -> None:
    """2,000 streams that are reset as soon as they are open (CVE-2023-44487).

    Nginx closes the connection; HAProxy 2.6 can only refuse them with little work.
    """
    with secure.connect(A) as channel:
        client = Http2Client(channel)
        for _ in range(2_000):
            stream = client.h2.get_next_available_stream_id()
            client.h2.send_headers(stream, list(asking(path="/slow")), end_stream=True)
            client.h2.reset_stream(stream, ErrorCodes.CANCEL)
        with contextlib.suppress(OSError):
            client.flush()
        assert secure.get(B, asking(host=B))[0] == "200"
        if secure.nginx.has_pages_for_people_alone:
            channel.settimeout(60)
            with contextlib.suppress(ConnectionError):
                while channel.recv(65536):
                    pass


def test_many_requests_that_wait_for_their_answers_are_answered(secure: Secure) -> None:
    """On one connection, as fast as they can."""
    with secure.connect(A) as channel:
        client = Http2Client(channel)
        for _ in range(10):
            for _ in range(60):
                stream = client.h2.get_next_available_stream_id()
                client.h2.send_headers(stream, list(asking()), end_stream=True)
            client.flush()
            ended = 0
            while ended < 60:
                events = client.h2.receive_data(channel.recv(65536))
                ended += sum(isinstance(event, h2.events.StreamEnded) for event in events)
                for event in events:
                    assert not isinstance(event, h2.events.StreamReset)
                    if isinstance(event, h2.events.DataReceived):
                        client.h2.acknowledge_received_data(
                            event.flow_controlled_length or 0, event.stream_id or 0
                        )
                client.flush()


@pytest.mark.differs(
    "a WebSocket on an HTTP/2 connection (RFC 8441)",
    nginx="no: browsers open an HTTP/1.1 connection for it",
    haproxy="yes",
)
def test_a_websocket_over_http2_works_where_it_is_offered(secure: Secure) -> None:
    """RFC 8441: browsers use it on the connection that they have, if the server says that it can.

    Where it does not, as nginx, such a request reaches no app.
    """
    with secure.connect(A) as channel:
        client = Http2Client(channel)
        events: list[h2.events.Event] = []
        while not any(isinstance(event, h2.events.RemoteSettingsChanged) for event in events):
            events = client.h2.receive_data(channel.recv(65536))
            client.flush()
        is_offered = bool(client.h2.remote_settings.get(_CONNECT_PROTOCOL))
        assert is_offered == (not secure.nginx.has_pages_for_people_alone)
        before = len(secure.asked[0])
        stream = client.h2.get_next_available_stream_id()
        headers = (
            *((":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "https")),
            *((":authority", A), (":path", "/ws"), ("sec-websocket-version", "13")),
        )
        client.h2.send_headers(stream, list(headers))
        client.flush()
        status, body = "", b""
        while body != b"hello":
            for event in client.h2.receive_data(channel.recv(65536)):
                if isinstance(event, h2.events.ResponseReceived):
                    status = text_of(dict(event.headers or ())[b":status"])
                    if status == "200":
                        client.h2.send_data(stream, b"hello")
                elif isinstance(event, h2.events.DataReceived):
                    body += event.data or b""
                elif isinstance(event, h2.events.StreamReset | h2.events.ConnectionTerminated):
                    status = status or "reset"
            client.flush()
            if status not in {"", "200"}:
                break
        assert (
            (status, body) == ("200", b"hello") if is_offered else status in {"400", "405", "reset"}
        )
        assert len(secure.asked[0]) == before


def test_an_upload_does_not_wait_for_each_64_kib(secure: Secure) -> None:
    """A client may soon send a mebibyte without waiting for the proxy; the protocol begins with 64
    KiB (RFC 9113, 6.9.2), which at 100 ms to the server are 5 Mbit/s.
    """
    with secure.connect(A) as channel:
        client = Http2Client(channel)
        length = ("content-length", "10000000")
        stream = client.h2.get_next_available_stream_id()
        client.h2.send_headers(stream, [*asking(length)], end_stream=False)
        client.h2.send_data(stream, b"x")
        client.flush()
        while client.h2.local_flow_control_window(stream) < 1_000_000:
            client.h2.receive_data(channel.recv(65536))
            client.flush()
