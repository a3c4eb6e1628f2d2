"""The health probe against real sockets."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from paas.adapters.network.health import HttpProbe
from paas.domain.manifest.health import Answer
from paas.domain.routing.endpoints import on_loopback
from paas.domain.routing.visits import Visit


@contextmanager
def server(answer: Callable[[socket.socket], None]) -> Iterator[tuple[int, list[bytes]]]:
    """A server for one connection; yields its port and what it was sent."""
    received: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                received.append(connection.recv(4096))
                answer(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1], received
        thread.join(60)


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", 200),
        (b"HTTP/1.0 404 Not Found\r\n\r\n", 404),
        (b"HTTP/1.1 500\r\n", 500),
        (b"HTTP/1.1 503 \n", 503),
        (b"", None),
        (b"HTTP/1.1 200 OK", None),
        (b"SSH-2.0-OpenSSH_9.2\r\n", None),
        (b"HTTP/1.1 999 x\r\n", None),
        (b"\x15\x03\x01\x00\x02\x02\n", None),
        (b"x" * 20_000, None),
    ],
)
def test_any_status_line_is_an_answer(answer: bytes, status: int | None) -> None:
    """HTTP of any status is healthy; silence and other protocols are not."""
    with server(lambda connection: connection.sendall(answer)) as (port, received):
        assert HttpProbe().answers(on_loopback(port), Visit("shop.localhost"), 60.0) == status
    assert received[0].startswith(b"GET / HTTP/1.1\r\nHost: shop.localhost\r\n")
    assert b"X-Forwarded-Proto: http\r\n" in received[0]
    assert b"User-Agent: paas-health\r\n" in received[0]
    assert b"Connection: close\r\n" in received[0]


@pytest.mark.parametrize(
    ("answer", "location"),
    [
        (b"HTTP/1.1 301 Moved\r\nlocation: https://a.test/\r\n\r\n", "https://a.test/"),
        (b"HTTP/1.1 308 x\r\nLocation: /de/\r\nContent-Length: 9\r\n\r\n", "/de/"),
        (b"HTTP/1.1 302 x\r\n\r\n", None),
        (b"HTTP/1.1 200 OK\r\nLocation: https://a.test/\r\n\r\n", None),
        (b"SSH-2.0-OpenSSH_9.2\r\n", None),
        (b"", None),
    ],
)
def test_where_an_app_sends_its_visitors(answer: bytes, location: str | None) -> None:
    """By the header of a redirect, for who comes over plain HTTP."""
    with server(lambda connection: connection.sendall(answer)) as (port, received):
        assert HttpProbe().redirect(on_loopback(port), "a.test", 60.0) == location
    assert b"Host: a.test\r\n" in received[0]
    assert b"X-Forwarded-Proto: http\r\n" in received[0]


def test_a_refused_connection_is_no_answer() -> None:
    """Nothing listens: None, without waiting for the limit."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        there = on_loopback(closed.getsockname()[1])
        assert HttpProbe().answers(there, Visit("a.localhost"), 3600.0) is None


def test_the_limit_holds_for_the_whole_answer() -> None:
    """A server that sends a byte now and then, without end, cannot hold the probe."""
    ended = threading.Event()

    def dribble(connection: socket.socket) -> None:
        try:
            while not ended.wait(0.05):
                connection.sendall(b"H")
        except OSError:
            pass

    with server(dribble) as (port, _):
        assert HttpProbe().answers(on_loopback(port), Visit("a.localhost"), 0.4) is None
        ended.set()


def test_get_gives_status_and_body() -> None:
    """The request that is sent, and the answer to it, chunked or not."""
    chunked = (
        b"HTTP/1.1 201 x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nrea\r\n2\r\ndy\r\n0\r\n\r\n"
    )
    with server(lambda connection: connection.sendall(chunked)) as (port, received):
        headers = [("X-Check", "yes"), ("host", "other")]
        visit = Visit("a.localhost")
        answer = HttpProbe().get(on_loopback(port), visit, "/up?x=1", headers, 60.0)
        assert answer == Answer(201, b"ready")
    lines = received[0].decode().split("\r\n")
    assert lines[0] == "GET /up?x=1 HTTP/1.1"
    assert {"X-Check: yes", "host: other", "Connection: close"} <= set(lines)
    assert "Host: a.localhost" not in lines


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-x\r\n", b"HTTP/1.1 200 OK\r\n" + b"a" * 99_999])
def test_get_takes_nothing_but_http(answer: bytes) -> None:
    """What is no HTTP is no answer."""
    with server(lambda connection: connection.sendall(answer)) as (port, _):
        assert HttpProbe().get(on_loopback(port), Visit("a.localhost"), "/", [], 60.0) is None


def test_get_s_limit_holds_for_the_whole_answer() -> None:
    """An app that sends a byte now and then, for minutes, does not hold its caller."""
    stop = threading.Event()

    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n")
        while not stop.wait(0.05):
            with suppress(OSError):
                connection.sendall(b".")

    with server(drip) as (port, _):
        found = HttpProbe().get(on_loopback(port), Visit("a.localhost"), "/", [], 0.4)
        stop.set()
    assert found is None or (found.status == 200 and len(found.body) < 90_000)


def test_accepts() -> None:
    """A listener that says nothing accepts; a closed port does not."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert HttpProbe().accepts(on_loopback(port), 60.0)
    assert not HttpProbe().accepts(on_loopback(port), 60.0)
