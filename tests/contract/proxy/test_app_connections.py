"""Connections to apps: answers that come before the body of a request, and sudden ends."""

import re
import socketserver
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import pytest

from paas.adapters.proxy.access_log_file import router_log
from paas.domain.routing.router_settings import router_settings
from paas.domain.routing.sites import Site
from tests.contract.proxy.fickle_app import fickle_app
from tests.contract.proxy.haproxy_server import SERVERS, haproxy_version
from tests.contract.proxy.nginx_server import Nginx, body_of, read_answer, status_of
from tests.endpoints import at
from tests.waiting import wait_for

UPLOAD_BYTES = 5_000_000
ANSWER = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno"


class _Hasty(socketserver.BaseRequestHandler):
    """Answers a request's headers; reads on, unless it is to close: as uvicorn and Node.js do."""

    def handle(self) -> None:
        self.request.settimeout(150)
        got = b""
        while True:
            while b"\r\n\r\n" not in got:
                part = self.request.recv(65536)
                if not part:
                    return
                got += part
            head, _, got = got.partition(b"\r\n\r\n")
            self.request.sendall(ANSWER)
            if re.search(rb"(?i)\r\nconnection: close", head):
                return
            length = re.search(rb"(?i)\r\ncontent-length: ([0-9]+)", head)
            left = (int(length[1]) if length else 0) - len(got)
            got = got[max(0, len(got) + left) :]
            while left > 0 and (part := self.request.recv(min(left, 65536))):
                left -= len(part)


class _Application(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 100

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Hasty)


@contextmanager
def hasty_app() -> Iterator[int]:
    """Its port."""
    with _Application() as app:
        threading.Thread(target=app.serve_forever, args=(0.01,), daemon=True).start()
        yield app.server_address[1]
        app.shutdown()


@pytest.fixture(scope="module", params=list(SERVERS))
def proxy(request: pytest.FixtureRequest) -> Iterator[Nginx]:
    with SERVERS[request.param]() as proxy:
        yield proxy


@pytest.mark.differs(
    "a response before the body was read (a 401 to an upload)",
    nginx="passed on, and the rest of the body is read",
    haproxy="the same. An app that closes the connection at once loses it with both: [which "
    "do](reference/python.md#an-answer-before-the-body-was-read)",
)
def test_an_answer_before_the_body_was_read_arrives(proxy: Nginx) -> None:
    """The app is not told to close the connection, which would lose the answer in a reset."""
    request = (
        f"POST / HTTP/1.1\r\nHost: a.localhost\r\nContent-Length: {UPLOAD_BYTES}\r\n\r\n"
    ).encode() + bytes(UPLOAD_BYTES)

    def upload(_: int) -> int | None:
        with proxy.connect() as client, suppress(OSError):
            client.settimeout(150)
            client.sendall(request)
            return status_of(client.recv(65536))
        return None

    with hasty_app() as port, ThreadPoolExecutor(10) as pool:
        proxy.proxy.apply(Site(1, ("a.localhost",), at(port)))
        assert Counter(pool.map(upload, range(60))) == {401: 60}


def _visit(proxy: Nginx, name: str, number: int) -> Counter[tuple[str, int]]:
    """Method and status of so many requests on a kept-alive connection, each with its own path.

    A response that is another request's counts as status -1.
    """
    found: Counter[tuple[str, int]] = Counter()
    with proxy.connect() as client:
        for index in range(number):
            method, path = ("POST" if index % 3 == 2 else "GET"), f"/{name}-{index}"
            length = "Content-Length: 0\r\n" if method == "POST" else ""
            head = f"{method} {path} HTTP/1.1\r\nHost: a.localhost\r\n{length}\r\n"
            client.sendall(head.encode())
            answer = read_answer(client)
            status = status_of(answer)
            own = status != 200 or body_of(answer) == f"{method} {path}".encode()
            found[method, status if own else -1] += 1
    return found


@pytest.mark.differs(
    "an app closes a kept connection at the moment when a request is sent over it",
    nginx="a `GET` is sent again, over each kept connection and up to three new ones; a `POST` "
    "gets 502, and the app has not seen it",
    haproxy="a `GET` is sent again, up to three times; no other request is sent over such a "
    "connection",
)
@pytest.mark.parametrize("after", ["keeps", "closes", "resets", "closes-at-once", "says-more"])
def test_no_request_is_lost_or_repeated_when_an_app_closes_connections(
    proxy: Nginx, after: str
) -> None:
    """Not even if it closes each one when the next request arrives on it, and no response is given
    to another request. Only Nginx loses a POST then: it is told so, and the app did not act on it.
    """
    visitors, number = (1, 60) if after in {"closes", "resets"} else (6, 30)
    with fickle_app(after) as app, ThreadPoolExecutor(visitors) as pool:
        proxy.proxy.apply(Site(1, ("a.localhost",), at(app.port)))
        visits = pool.map(lambda one: _visit(proxy, f"{after}-{one}", number), range(visitors))
        found = sum(visits, Counter[tuple[str, int]]())
    lost = found.pop(("POST", 502), 0)
    expected = {("GET", 200): visitors * number * 2 // 3, ("POST", 200): visitors * number // 3}
    found["POST", 200] += lost
    assert found == expected
    assert not lost or (proxy.has_pages_for_people_alone and after != "keeps")
    assert max(app.asked.values()) == 1
    if not proxy.has_pages_for_people_alone:
        assert not [request for request in app.lost if request.startswith("POST")]


def _endings(proxy: Nginx, method: str, *, first: bool) -> set[int]:
    """The statuses that a request to a dying app may get; 0: its connection ends without a word.

    first: whether it is the visitor's first on the connection. HAProxy 2.6 and 3.0 expect the
    client to send the request again, each in other cases; 3.0 would not if no connection to an app
    were kept, which is slower.
    """
    version = (0, 0) if proxy.has_pages_for_people_alone else haproxy_version()
    silent = (version == (2, 6) and not first) or (version >= (3, 0) and method == "GET")
    return {0, 502} if silent else {502}


@pytest.mark.differs(
    "an app that dies during a request, without a response",
    nginx="502",
    haproxy="502. However, HAProxy 2.6 closes the connection without a response or a line in the "
    "log if the visitor's connection has had a request before, and 3.0 does so if the request was "
    "a `GET` sent over a connection that was kept alive; 2.8 never does",
)
def test_a_request_that_an_app_never_answers_is_sent_a_few_times(proxy: Nginx) -> None:
    """It may be what ends the app's process. Nginx tries each kept connection, and then three."""
    with fickle_app("keeps") as app, ThreadPoolExecutor(8) as pool:
        proxy.proxy.apply(Site(1, ("a.localhost",), at(app.port)))
        list(pool.map(lambda one: _visit(proxy, f"keeps-{one}", 9), range(8)))
        status = status_of(proxy.get("a.localhost", "/crash"))
        assert status in _endings(proxy, "GET", first=True)
        limit = 8 + 3 if proxy.has_pages_for_people_alone else 4
        assert app.lost["GET /crash"] <= limit
        for first in (True, False):
            with proxy.connect() as client:
                for path in ("/crash",) if first else ("/", "/crash"):
                    head = f"POST {path} HTTP/1.1\r\nHost: a.localhost\r\n"
                    client.sendall(f"{head}Content-Length: 0\r\n\r\n".encode())
                    status = status_of(read_answer(client))
            assert status in _endings(proxy, "POST", first=first)
        assert app.lost["POST /crash"] == 2


@pytest.mark.differs(
    "connections to apps",
    nginx="kept alive for 1 s",
    haproxy="for `GET` without a body kept alive for about 1 s, if the instance is on this "
    "machine; one for each other request, which HAProxy closes",
)
def test_connections_are_kept_to_instances_that_came_later(proxy: Nginx) -> None:
    """Also with HAProxy, which adds them without a reload; and kept ones hold up no drain."""
    for _ in range(2):
        with fickle_app("keeps") as app:
            proxy.proxy.apply(Site(1, ("a.localhost",), at(app.port)))
            assert proxy.proxy.drain(60)
            pauses, last = 0, time.monotonic()
            for _ in range(30):
                assert status_of(proxy.get("a.localhost")) == 200
                pauses, last = pauses + (time.monotonic() - last > 0.5), time.monotonic()
            # With the checks of HAProxy, and where it was not kept for long enough.
            assert app.connections <= 20 + pauses


@pytest.mark.differs(
    "`103 Early Hints`, or another 1xx of an app",
    nginx="before 1.29 taken for the answer: the client waits until `proxy-read-timeout`, and the "
    "app's log then says why",
    haproxy="passed on",
)
def test_early_hints_are_passed_on_or_the_log_says_that_they_are_not(proxy: Nginx) -> None:
    """Nginx before 1.29 waits for the rest of what it takes for the answer."""
    limit = "1s" if proxy.has_pages_for_people_alone else "200s"
    settings = router_settings({"proxy-read-timeout": limit}, {})
    with fickle_app("hints") as app:
        proxy.proxy.apply(Site(1, ("a.localhost",), at(app.port), settings=settings))
        answer = proxy.get("a.localhost", "/hints")
    if not proxy.has_pages_for_people_alone:
        assert answer.startswith(b"HTTP/1.1 103 Early Hints\r\n")
        assert status_of(body_of(answer)) == 200
        return
    log = router_log(proxy.settings, 1)
    wait_for(lambda: 'path="/hints"' in log.read_text())
    (line,) = [line for line in log.read_text().splitlines() if 'path="/hints"' in line]
    assert "refused: nginx before 1.29 passes on no 1xx" in line
