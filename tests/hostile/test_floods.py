"""Floods from one address against both proxies: others are served meanwhile."""

import contextlib
import resource
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import h2.events
import pytest

from paas.adapters.certificates.files import CertificateDirectory
from paas.adapters.certificates.reader import X509Reader
from paas.domain.routing.sites import Certificate, Site
from tests.authority import Authority
from tests.contract.proxy.haproxy_server import SERVERS
from tests.contract.proxy.http2_client import Http2Client, asking, text_of
from tests.contract.proxy.nginx_server import Nginx, application, status_of
from tests.endpoints import at
from tests.waiting import wait_for

ATTACKER, VISITOR = "127.0.0.2", "127.0.0.3"
SLOW, OTHER = "slow.example.com", "other.example.com"
REQUESTS_MAX = 100
CONNECTIONS, STREAMS = 12, 90
HALF = b"GET / HTTP/1.1\r\nHost: other.example.com\r\nX-A: "
WHOLE = b"GET / HTTP/1.1\r\nHost: other.example.com\r\nConnection: close\r\n\r\n"


@dataclass
class Attacked:
    """A server with an app that answers, and one that accepts requests and never answers."""

    nginx: Nginx
    slow: socket.socket
    held: list[socket.socket] = field(default_factory=list)

    def connect(self, source: str, *, secure: str = "") -> socket.socket:
        """A connection from that address; secure: over TLS and HTTP/2, to that name."""
        settings = self.nginx.settings
        port = settings.https_port if secure else settings.http_port
        plain = socket.create_connection(("127.0.0.1", port), 90, source_address=(source, 0))
        if not secure:
            return plain
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_alpn_protocols(["h2"])
        return context.wrap_socket(plain, server_hostname=secure)

    def visit(self) -> int:
        """The status that another visitor gets."""
        with self.connect(VISITOR) as connection:
            connection.sendall(WHOLE)
            return status_of(connection.recv(4096))

    def taken(self) -> int:
        """How many requests have reached the app that never answers since the last call."""
        count = 0
        self.slow.settimeout(0.5)
        with contextlib.suppress(TimeoutError):
            while True:
                self.held.append(self.slow.accept()[0])
                count += 1
        return count

    def in_progress(self) -> int:
        """How many of those the proxy has not given up, as it does to connect anew."""
        found = 0
        for connection in self.held:
            connection.setblocking(False)
            try:
                while connection.recv(65_536):
                    pass
            except BlockingIOError:
                found += 1
            except OSError:
                pass
        return found


@pytest.fixture(scope="module", params=list(SERVERS))
def attacked(request: pytest.FixtureRequest) -> Iterator[Attacked]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 8192)), hard))
    settings = {"connections_per_address": REQUESTS_MAX}
    with (
        socket.create_server(("127.0.0.1", 0), backlog=4096) as slow,
        application() as other,
        SERVERS[request.param](**settings) as nginx,
    ):
        files = CertificateDirectory(nginx.settings.state / "certs")
        files.write("1-00000001", X509Reader().read(Authority().bundle(SLOW), datetime.now(UTC)))
        paths = files.paths("1-00000001")
        assert paths
        shown = (Certificate(*paths, (SLOW,)),)
        nginx.proxy.apply(Site(1, (SLOW,), at(slow.getsockname()[1]), certificates=shown))
        nginx.proxy.apply(Site(2, (OTHER,), at(other.server_port)))
        made = Attacked(nginx, slow)
        yield made
        for connection in made.held:
            connection.close()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_2000_half_sent_headers_cost_others_nothing(attacked: Attacked) -> None:
    """From one address, bypassing the kernel's limit, which does not count loopback."""
    with contextlib.ExitStack() as stack:
        slow = [stack.enter_context(attacked.connect(ATTACKER)) for _ in range(2000)]
        for connection in slow:
            with contextlib.suppress(OSError):  # the proxy waits for headers for only so long
                connection.sendall(HALF)
        assert [attacked.visit() for _ in range(20)] == [200] * 20
    assert attacked.visit() == 200


def test_requests_of_a_few_http2_connections_are_counted(attacked: Attacked) -> None:
    """One address may have as many concurrent requests as connections; the rest get 429."""
    statuses: list[str] = []
    clients: list[tuple[ssl.SSLSocket, Http2Client]] = []
    with contextlib.ExitStack() as stack:
        for _ in range(CONNECTIONS):
            channel = stack.enter_context(attacked.connect(ATTACKER, secure=SLOW))
            assert isinstance(channel, ssl.SSLSocket)
            client = Http2Client(channel)
            for _ in range(STREAMS):
                stream = client.h2.get_next_available_stream_id()
                client.h2.send_headers(stream, list(asking(host=SLOW)), end_stream=True)
            client.flush()
            channel.settimeout(0.3)
            clients.append((channel, client))
            statuses += heard(channel, client)

        def are_refused() -> bool:
            """All but those that the app got; a busy machine refuses them late."""
            if statuses.count("429") >= CONNECTIONS * STREAMS - REQUESTS_MAX:
                return True
            for channel, client in clients:
                statuses.extend(heard(channel, client))
            return False

        wait_for(are_refused, what="the refusals")
        assert [attacked.visit() for _ in range(20)] == [200] * 20
        assert attacked.taken()
        assert attacked.in_progress() <= REQUESTS_MAX
    assert attacked.visit() == 200


def heard(channel: ssl.SSLSocket, client: Http2Client) -> list[str]:
    """The statuses that have come, until none does for a moment."""
    statuses = []
    with contextlib.suppress(TimeoutError):
        while data := channel.recv(65536):
            for event in client.h2.receive_data(data):
                if isinstance(event, h2.events.ResponseReceived):
                    statuses.append(text_of(dict(event.headers or ())[b":status"]))
                elif isinstance(event, h2.events.DataReceived):
                    size = event.flow_controlled_length
                    client.h2.acknowledge_received_data(size, event.stream_id)
            client.flush()
    return statuses


@pytest.mark.parametrize("program", list(SERVERS))
def test_clients_of_a_balancer_have_more_together(program: str) -> None:
    """The balancers in trusted_proxies carry everybody's requests over their own connections."""
    lines = f"Host: {OTHER}\r\nX-Forwarded-For: 192.0.2."
    settings = {"connections_per_address": 10, "trusted_proxies": f"{ATTACKER} 198.51.100.0/24"}
    with (
        socket.create_server(("127.0.0.1", 0), backlog=100) as slow,
        SERVERS[program](**settings) as nginx,
        contextlib.ExitStack() as stack,
    ):
        nginx.proxy.apply(Site(1, (OTHER,), at(slow.getsockname()[1])))
        attacked = Attacked(nginx, slow)
        for client in (1, 2):
            for _ in range(8):
                connection = stack.enter_context(attacked.connect(ATTACKER))
                connection.sendall(f"GET / HTTP/1.1\r\n{lines}{client}\r\n\r\n".encode())
        found: list[int] = []

        def are_there() -> bool:
            found.append(attacked.taken())
            return sum(found) >= 16

        wait_for(are_there, what="the requests of both")
        assert sum(found) == 16
        for connection in attacked.held:
            connection.close()
