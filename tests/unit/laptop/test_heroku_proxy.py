"""heroku:proxy: what it listens to, and what it passes on."""

import http.client
import sys
import threading
from collections.abc import Iterator

import pytest

from paas.domain.streams.relays import PROXY_PORT
from paas.domain.values.errors import PaasError
from paas.entrypoints.laptop import proxy
from paas.entrypoints.laptop.call import Call
from paas.entrypoints.laptop.remotes import Server
from tests.ports import free_port

# Instead of ssh: answers with what it was called with, and with the request that it got.
_ECHO = """
import sys
got = b""
while b"\\r\\n\\r\\n" not in got or len(got.partition(b"\\r\\n\\r\\n")[2]) < 4:
    got += sys.stdin.buffer.read1(1000)
body = sys.argv[1].encode() + b"\\n" + got
head = b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\nConnection: close\\r\\n\\r\\n" % len(body)
sys.stdout.buffer.write(head + body)
"""


class Forwarder:
    """A port, and what its connections lead to."""

    def __init__(self) -> None:
        self.port = free_port()
        self.script = _ECHO
        self.listener = proxy.listening(self.port)
        thread = threading.Thread(target=proxy.serve, args=(self.listener, self._argv))
        thread.daemon = True
        thread.start()

    def _argv(self, to_streams: bool) -> list[str]:
        return [sys.executable, "-c", self.script, "streams" if to_streams else "web"]

    def ask(self, path: str, headers: dict[str, str]) -> tuple[int, str]:
        """Status and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", path, b"body", headers)
        answer = connection.getresponse()
        found = answer.status, answer.read().decode()
        connection.close()
        return found


@pytest.fixture
def forwarder() -> Iterator[Forwarder]:
    """One that ends with the test."""
    made = Forwarder()
    yield made
    made.listener.close()


def test_a_connection_carries_one_request_without_a_claimed_address(forwarder: Forwarder) -> None:
    """Which goes on as it came, with its body; a stream goes elsewhere."""
    status, got = forwarder.ask("/apps", {"X-Real-IP": "1.2.3.4", "Authorization": "Bearer x"})
    where, _, request = got.partition("\n")
    assert (status, where) == (200, "web")
    assert request.startswith("GET /apps HTTP/1.1\r\n")
    assert request.endswith("\r\n\r\nbody")
    assert request.count("Connection: close") == 1
    assert "Authorization: Bearer x" in request
    assert "1.2.3.4" not in request
    assert f"Host: 127.0.0.1:{forwarder.port}" in request
    assert forwarder.ask("/streams/secret", {})[1].startswith("streams\n")


def test_a_server_that_is_not_reached_is_told(forwarder: Forwarder) -> None:
    """In Heroku's form, not as a connection that breaks."""
    forwarder.script = "import sys; sys.exit(255)"
    status, got = forwarder.ask("/apps", {})
    assert status == 502
    assert '"id": "service_unavailable"' in got


def test_a_port_that_is_taken(forwarder: Forwarder) -> None:
    """By another one; and words that are no port."""
    server = Server("paas", "apps.example.com", None)
    for words, why in (
        (("--port", str(forwarder.port)), "cannot be used"),
        (("--port", "x"), "takes a port"),
        (("--port=70000",), "takes a port"),
        (("shop",), "takes a port"),
    ):
        with pytest.raises(PaasError, match=why):
            proxy.run(Call(server, None, (proxy.COMMAND, *words)))
    assert PROXY_PORT == 5702
