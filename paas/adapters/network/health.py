"""A look at where an instance listens: does something there speak HTTP?"""

import http.client
import re
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress

from paas.domain.manifest.health import BODY_MAX_BYTES, Answer
from paas.domain.routing.endpoints import Endpoint
from paas.domain.routing.visits import REDIRECTS, Visit

LINE_MAX_BYTES = 8192
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})(?: [^\r\n]*)?\r?")


class HttpProbe:
    """`HealthProbe` of interfaces.

    answers reads only the status line (RFC 9112, 4). timeout_s bounds each probe as a whole: with
    http.client alone, an app that sends a byte now and then could stall its deploy for hours.
    """

    def answers(self, endpoint: Endpoint, visit: Visit, timeout_s: float) -> int | None:
        """The status with which it answers a GET /, or None if it does not."""
        deadline = time.monotonic() + timeout_s
        request = (
            f"GET / HTTP/1.1\r\nHost: {visit.host}\r\nX-Forwarded-Proto: {visit.scheme}\r\n"
            "User-Agent: paas-health\r\nAccept: */*\r\nConnection: close\r\n\r\n"
        )
        try:
            with _socket(endpoint, timeout_s) as connection:
                connection.sendall(request.encode())
                return _status(_first_line(connection, deadline))
        except OSError:  # refused, reset, timed out
            return None

    def redirect(self, endpoint: Endpoint, host: str, timeout_s: float) -> str | None:
        """The redirect target of a plain HTTP request for /, or None."""
        sent = {"Host": host, "X-Forwarded-Proto": "http", "User-Agent": "paas-health"}
        try:
            with _connected(endpoint, timeout_s) as connection:
                connection.request("GET", "/", headers=sent | {"Connection": "close"})
                answer = connection.getresponse()
        except (OSError, http.client.HTTPException):
            return None
        return answer.getheader("Location") if answer.status in REDIRECTS else None

    def accepts(self, endpoint: Endpoint, timeout_s: float) -> bool:
        """Whether it accepts a connection."""
        try:
            _socket(endpoint, timeout_s).close()
        except OSError:
            return False
        return True

    def get(
        self,
        endpoint: Endpoint,
        visit: Visit,
        path: str,
        headers: Sequence[tuple[str, str]],
        timeout_s: float,
    ) -> Answer | None:
        """The answer to a GET, or None if it does not come in time."""
        sent = {
            "Host": visit.host,
            "X-Forwarded-Proto": visit.scheme,
            "User-Agent": "paas-health",
            "Accept": "*/*",
            "Connection": "close",
        }
        given = {name.lower() for name, _ in headers}
        try:
            with _connected(endpoint, timeout_s) as connection:
                connection.putrequest("GET", path, skip_host=True, skip_accept_encoding=True)
                for name, value in [(n, v) for n, v in sent.items() if n.lower() not in given]:
                    connection.putheader(name, value)
                for name, value in headers:
                    connection.putheader(name, value)
                connection.endheaders()
                response = connection.getresponse()
                return Answer(response.status, response.read(BODY_MAX_BYTES))
        except (OSError, http.client.HTTPException):
            return None


def _socket(endpoint: Endpoint, timeout_s: float) -> socket.socket:
    """A connection to an address, by which it is called a hundred times a second.

    `socket.create_connection` would resolve it as a name, and import what encodes names.
    """
    made = socket.socket(socket.AF_INET)
    try:
        made.settimeout(timeout_s)
        made.connect((endpoint.host, endpoint.port))
    except BaseException:
        made.close()
        raise
    return made


@contextmanager
def _connected(endpoint: Endpoint, timeout_s: float) -> Iterator[http.client.HTTPConnection]:
    """A connection that is cut at the limit, however slowly the other side sends."""
    connection = http.client.HTTPConnection(endpoint.host, endpoint.port, timeout=timeout_s)
    with closing(connection):
        connection.connect()
        limit = threading.Timer(timeout_s, _cut, [connection.sock])
        limit.start()
        try:
            yield connection
        finally:
            limit.cancel()


def _cut(connection: socket.socket) -> None:
    """End a connection even if another thread waits on it: no answer can trickle in forever."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _first_line(connection: socket.socket, deadline: float) -> bytes:
    """What the server sends up to its first line feed, or as far as it comes."""
    received = b""
    while b"\n" not in received and len(received) < LINE_MAX_BYTES:
        connection.settimeout(max(deadline - time.monotonic(), 0.001))
        part = connection.recv(1024)
        if not part:
            break
        received += part
    return received.partition(b"\n")[0] if b"\n" in received else b""


def _status(line: bytes) -> int | None:
    match = _STATUS_LINE.fullmatch(line)
    return int(match[1]) if match else None
