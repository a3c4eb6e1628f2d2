"""Answers that no honest app gives, and site files that do not pass, on the real nginx."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from paas.adapters.certificates.files import CertificateDirectory
from paas.adapters.certificates.reader import X509Reader
from paas.domain.routing.router_settings import router_settings
from paas.domain.routing.sites import Certificate, Site
from tests.authority import Authority
from tests.contract.proxy.nginx_server import (
    Nginx,
    application,
    nginx_server,
    status_of,
)
from tests.endpoints import at

END = b"Content-Length: 2\r\n\r\nok"
SECOND = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nX-Second: 1\r\n\r\nEVIL"


@dataclass
class Scripted:
    """An app that answers every request with these bytes; held: it keeps the connection."""

    listener: socket.socket
    answer: bytes = b""
    endless: bytes = b""
    ended: threading.Event = field(default_factory=threading.Event)

    def serve(self) -> None:
        """Until the listener is closed."""
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            asked = b""
            while b"\r\n\r\n" not in asked:
                if not (part := connection.recv(65536)):
                    return
                asked += part
            connection.sendall(self.answer)
            while self.endless and not self.ended.is_set():
                connection.sendall(self.endless)


@dataclass
class Behind:
    """nginx with a hostile app and an honest one."""

    nginx: Nginx
    hostile: Scripted

    def get(self, answer: bytes, method: str = "GET") -> bytes:
        """What a visitor gets where the app answers so."""
        self.hostile.answer = answer
        lines = f"{method} / HTTP/1.1\r\nHost: a.localhost\r\nConnection: close\r\n\r\n"
        return self.nginx.raw(lines.encode())


@pytest.fixture(scope="module")
def behind() -> Iterator[Behind]:
    with (
        nginx_server() as nginx,
        application() as app,
        socket.create_server(("127.0.0.1", 0)) as listener,
    ):
        hostile = Scripted(listener)
        threading.Thread(target=hostile.serve, daemon=True).start()
        nginx.proxy.apply(Site(1, ("a.localhost",), at(listener.getsockname()[1])))
        nginx.proxy.apply(Site(2, ("b.localhost",), at(app.server_port)))
        yield Behind(nginx, hostile)
        hostile.ended.set()
        listener.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nX-A",
        b"HTTP/1.1 200 OK\r\nX-A: b\rSet-Cookie: evil=1\r\n" + END,
        b"HTTP/1.1 200 OK\r\nX-A: b\0c\r\n" + END,
        b"HTTP/1.1 200 OK\r\nX-A: b\r\n folded: c\r\n" + END,
        b"HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * 50_000 + b"\r\n" + END,
        b"HTTP/1.1 200 OK\r\n" + b"X-A: a\r\n" * 7_000 + END,
    ],
    ids=lambda answer: repr(answer[:40]),
)
def test_a_broken_head_is_a_bad_gateway(behind: Behind, answer: bytes) -> None:
    """Nothing of it reaches the visitor."""
    found = behind.get(answer)
    assert status_of(found) == 502
    assert b"evil" not in found


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\n" + END + SECOND,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n" + SECOND,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 50\r\n\r\n"
        b"2\r\nok\r\n0\r\n\r\n" + SECOND,
        b"HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\n" + SECOND,
        b"HTTP/1.1 304 Not Modified\r\n\r\n" + SECOND,
    ],
    ids=lambda answer: repr(answer[:60]),
)
def test_a_second_answer_is_never_passed_on(behind: Behind, answer: bytes) -> None:
    """To the same visitor or the next: what lies beyond the first answer's end is dropped.

    Nginx from 1.24 on refuses an answer that has both a length and chunks.
    """
    for _ in range(3):
        found = behind.get(answer)
        allowed = (
            {200, 204, 304, 502} if b"chunked\r\nContent-Length" in answer else {200, 204, 304}
        )
        assert status_of(found) in allowed
        assert b"EVIL" not in found


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nok",
    ],
    ids=lambda answer: repr(answer[-40:]),
)
def test_a_cut_answer_is_seen_to_be_cut(behind: Behind, answer: bytes) -> None:
    """The visitor's connection ends before the answer does, so nobody takes it for whole."""
    found = behind.get(answer)
    head, _, body = found.partition(b"\r\n\r\n")
    assert not found or b"Content-Length: 100" in head or not body.endswith(b"0\r\n\r\n")


def test_what_it_says_to_nginx_concerns_itself_alone(behind: Behind) -> None:
    """X-Accel headers lead to no file and are not passed on."""
    names = ("Redirect: /.paas-error/unknown.html", "Charset: x", "Expires: 9", "Buffering: no")
    lines = b"".join(b"X-Accel-%s\r\n" % name.encode() for name in names)
    found = behind.get(b"HTTP/1.1 200 OK\r\n" + lines + END)
    assert found.endswith(b"\r\n\r\nok")
    assert b"X-Accel" not in found


def test_its_status_line_cannot_lead_nginx_to_its_own_pages(behind: Behind) -> None:
    """The status 418, by which nginx finds its way to WebSockets, is one like any other."""
    settings = router_settings({"websocket-timeout": "1h"}, {})
    port = behind.hostile.listener.getsockname()[1]
    behind.nginx.proxy.apply(Site(1, ("a.localhost",), at(port), settings=settings))
    assert status_of(behind.get(b"HTTP/1.1 418 Teapot\r\n" + END)) == 418
    behind.nginx.proxy.apply(Site(1, ("a.localhost",), at(port)))


def test_an_answer_without_an_end_holds_up_nobody(behind: Behind) -> None:
    """Headers or a body that never end: the neighbours are served meanwhile."""
    for head in (b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\n\r\n"):
        behind.hostile.answer, behind.hostile.endless = head, b"X-A: aaaaaaaa\r\n"
        with behind.nginx.connect() as visitor:
            visitor.sendall(b"GET / HTTP/1.1\r\nHost: a.localhost\r\n\r\n")
            visitor.recv(1)
            assert status_of(behind.nginx.get("b.localhost")) == 200
        behind.hostile.endless = b""


# --- Site files


@pytest.fixture
def nginx() -> Iterator[Nginx]:
    with nginx_server() as server:
        yield server


def test_what_does_not_pass_at_boot_is_set_aside(nginx: Nginx) -> None:
    """A certificate that is lost or not its key's, a name that is none: the others are served."""
    files = CertificateDirectory(nginx.settings.state / "certs")
    for number in (2, 3):
        bundle = Authority().bundle("x.example.com")
        files.write(f"{number}-00000001", X509Reader().read(bundle, datetime.now(UTC)))
    pairs = {number: files.paths(f"{number}-00000001") for number in (2, 3)}
    assert pairs[2] and pairs[3]
    bad = [
        _secured(2, pairs[2][0], pairs[3][1]),
        _secured(3, Path("/nowhere/chain.pem"), pairs[3][1]),
        Site(4, ("not a host",), at(20_001)),
        _secured(5, nginx.settings.state / "certs/5-00000001/chain.pem", pairs[3][1]),
    ]
    with application() as app:
        good = [Site(n, (f"{n}.localhost",), at(app.server_port)) for n in (1, 9)]
        nginx.proxy.restore([good[0], *bad, good[1]])
        assert nginx.proxy.sites() == {1, 9}
        assert nginx.proxy.refused() == {2, 3, 4, 5}
        nginx.stop()
        nginx.start()
        for host in ("1.localhost", "9.localhost"):
            assert status_of(nginx.get(host)) == 200
        nginx.proxy.apply(Site(4, ("4.localhost",), at(app.server_port)))
        assert nginx.proxy.refused() == {2, 3, 5}
        assert status_of(nginx.get("4.localhost")) == 200


def _secured(number: int, chain: Path, key: Path) -> Site:
    host = f"s{number}.example.com"
    return Site(number, (host,), (), certificates=(Certificate(chain, key, (host,)),))


ODD = {
    "client-max-body-size": ["1", "100g"],
    "proxy-connect-timeout": ["1s", "24h"],
    "proxy-read-timeout": ["1", "1440m"],
    "websocket-timeout": ["24h"],
    "proxy-buffering": ["off"],
    "gzip": ["on"],
    "rate-limit": ["1r/m", "100000r/s"],
    "rate-limit-burst": ["0", "65535"],
    "connection-limit": ["0", "65535"],
    "allow": [
        "0.0.0.0/0,::/0",
        "::ffff:1.2.3.4/128",
        " ".join(f"10.0.{n}.0/24" for n in range(200)),
    ],
    "deny": ["::1", "0.0.0.0"],
    "trusted-proxies": ["::/0", "0.0.0.0/0", "2001:db8::/32 10.0.0.0/8"],
    "sticky-sessions": ["on"],
    "hsts": ["1y subdomains preload"],
    "header.X-A": ["a" * 1_000, ";}#{'", "%{}()[]|&*?~!@^`<>,"],
}


@pytest.mark.parametrize(
    ("key", "value"),
    [(key, value) for key, values in ODD.items() for value in values],
    ids=lambda text: text[:30],
)
def test_every_setting_that_is_valid_is_served(both: Nginx, key: str, value: str) -> None:
    """At the ends of what each key takes, nginx takes it too: no owner can stop a reload."""
    settings = router_settings({key: value}, {})
    both.proxy.apply(Site(1, ("a.localhost",), at(20_001, 20_002), settings=settings))
    answer = both.get("a.localhost")
    assert status_of(answer) in {403, 429, 502, 503, 504}


@pytest.fixture(scope="module")
def both() -> Iterator[Nginx]:
    with nginx_server() as server:
        yield server


def test_many_long_names_do_not_stop_a_reload(both: Nginx) -> None:
    """100 names of 250 characters for each of ten apps: no table of nginx overflows."""
    tail = ".".join(["x" * 60] * 3)
    for number in range(1, 11):
        hosts = tuple(f"{number}-{n:050d}.{tail}.com" for n in range(100))
        both.proxy.apply(Site(number, hosts, ()))
    both.proxy.apply(Site(11, ("last.localhost",), ()))
    assert status_of(both.get("last.localhost")) == 503
    both.proxy.restore([])
