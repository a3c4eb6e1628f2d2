"""Answers that come before the body of a request was read, such as a login check's on an upload."""

import re
import socketserver
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from paas.domain.routing.sites import Site
from tests.contract.proxy.haproxy_server import SERVERS
from tests.contract.proxy.nginx_server import Nginx, status_of
from tests.endpoints import at

UPLOAD_BYTES = 5_000_000
ANSWER = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno"


class _Hasty(socketserver.BaseRequestHandler):
    """Answers a request's headers; reads on, unless it is to close: as uvicorn and Node.js do."""

    def handle(self) -> None:
        self.request.settimeout(10)
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


@pytest.fixture(params=list(SERVERS))
def proxy(request: pytest.FixtureRequest) -> Iterator[Nginx]:
    with SERVERS[request.param]() as proxy, _Application() as app:
        threading.Thread(target=app.serve_forever, args=(0.01,), daemon=True).start()
        proxy.proxy.apply(Site(1, ("a.localhost",), at(app.server_address[1])))
        yield proxy
        app.shutdown()


def test_an_answer_before_the_body_was_read_arrives(proxy: Nginx) -> None:
    """The app is not told to close the connection, which would lose the answer in a reset."""
    request = (
        f"POST / HTTP/1.1\r\nHost: a.localhost\r\nContent-Length: {UPLOAD_BYTES}\r\n\r\n"
    ).encode() + bytes(UPLOAD_BYTES)

    def upload(_: int) -> int | None:
        with proxy.connect() as client, suppress(OSError):
            client.settimeout(20)
            client.sendall(request)
            return status_of(client.recv(65536))
        return None

    with ThreadPoolExecutor(10) as pool:
        assert Counter(pool.map(upload, range(60))) == {401: 60}
