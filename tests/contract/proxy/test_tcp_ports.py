"""TCP ports of apps: what connects to them reaches the instances, byte by byte, as it is."""

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from paas.adapters.proxy.haproxy.conf import sites_directory
from paas.adapters.proxy.tcp_ports import set_taken_aside
from paas.domain.routing.router_settings import router_settings
from paas.domain.routing.sites import Site
from paas.domain.values.errors import PaasError
from tests.contract.proxy.haproxy_server import SERVERS
from tests.contract.proxy.nginx_server import Nginx, application, status_of
from tests.endpoints import at
from tests.ports import free_range
from tests.waiting import wait_for

LIMIT_S = 60


class _Greeter(socketserver.BaseRequestHandler):
    """Says the name of its server, as servers of many protocols do first, then echoes."""

    server: "GreetingServer"

    def handle(self) -> None:
        with suppress(OSError):
            self.request.sendall(self.server.name)
            while data := self.request.recv(4096):
                self.request.sendall(data)


class GreetingServer(socketserver.ThreadingTCPServer):
    """An app that speaks no HTTP."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, name: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Greeter)
        self.name = name

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])


@contextmanager
def greeter(name: bytes) -> Iterator[GreetingServer]:
    """Such an app, whose name is one byte."""
    with GreetingServer(name) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def connect(port: int, family: socket.AddressFamily = socket.AF_INET) -> socket.socket:
    """A client's connection."""
    host = "127.0.0.1" if family == socket.AF_INET else "::1"
    connection = socket.socket(family)
    connection.settimeout(LIMIT_S)
    connection.connect((host, port))
    return connection


def greeting(port: int, family: socket.AddressFamily = socket.AF_INET) -> bytes:
    """What a connection of its own gets first; nothing where it is closed or refused."""
    try:
        with connect(port, family) as connection:
            return connection.recv(1)
    except ConnectionError:
        return b""


def echoed(connection: socket.socket, data: bytes) -> bool:
    """Whether data comes back."""
    connection.sendall(data)
    received = b""
    while len(received) < len(data) and (part := connection.recv(65536)):
        received += part
    return received == data


@dataclass(frozen=True)
class Tcp:
    """A proxy, and the ports that its apps may have."""

    server: Nginx
    ports: range

    def site(self, *instances: GreetingServer, app_id: int = 1, ports: int = 1) -> Site:
        """An app with the first ports."""
        endpoints = at(*(instance.port for instance in instances))
        own = tuple(self.ports[:ports])
        return Site(app_id, (f"app{app_id}.localhost",), endpoints, tcp_ports=own)

    def files(self) -> list[Path]:
        """Those that have the ports."""
        settings = self.server.settings
        if settings.proxy == "haproxy":
            return [*sites_directory(settings).glob("*.tcp.cfg")]
        return [*settings.paths.nginx_streams.glob("*.conf")]


@pytest.fixture(scope="module", params=list(SERVERS))
def tcp(request: pytest.FixtureRequest) -> Iterator[Tcp]:
    ports = free_range()
    with SERVERS[request.param](tcp_ports=(ports[0], ports[-1]), worker_limit_s=600.0) as server:
        assert server.proxy.cannot_tcp() is None
        yield Tcp(server, ports)


def test_bytes_pass_as_they_are(tcp: Tcp) -> None:
    """Over IPv4 and IPv6, at each of the app's ports, in both directions; its host is as before."""
    with greeter(b"a") as app, application() as web:
        tcp.server.proxy.apply(Site(2, ("web.localhost",), at(web.server_port)))
        tcp.server.proxy.apply(tcp.site(app, ports=2))
        assert tcp.server.proxy.serves(tcp.site(app, ports=2))
        for port in tcp.ports[:2]:
            for family in (socket.AF_INET, socket.AF_INET6):
                with connect(port, family) as connection:
                    assert connection.recv(1) == b"a"
                    assert echoed(connection, bytes(range(256)) * 400)
        assert status_of(tcp.server.get("web.localhost")) == 200
        tcp.server.proxy.apply(tcp.site(app, ports=1))
        assert [greeting(port) for port in tcp.ports[:2]] == [b"a", b""]
        tcp.server.proxy.remove(1)
        assert greeting(tcp.ports[0]) == b""
        assert status_of(tcp.server.get("web.localhost")) == 200


def test_a_deploy_keeps_what_is_open_and_sends_what_is_new_to_the_new_instances(tcp: Tcp) -> None:
    """While clients connect; the old instance is drained when the last connection to it ends."""
    with ExitStack() as stack:
        old, new, second = (stack.enter_context(greeter(name)) for name in (b"o", b"n", b"s"))
        proxy, port = tcp.server.proxy, tcp.ports[0]
        proxy.apply(tcp.site(old))
        with connect(port) as connection:
            assert connection.recv(1) == b"o"
            found: list[bytes] = []
            enough, ended = threading.Event(), threading.Event()

            def knock() -> None:
                while not ended.is_set():
                    found.append(greeting(port))
                    if len(found) > 20:
                        enough.set()
                    ended.wait(0.01)

            thread = threading.Thread(target=knock)
            thread.start()
            assert enough.wait(LIMIT_S)
            proxy.apply(tcp.site(new))
            assert greeting(port) == b"n"
            ended.set()
            thread.join()
            assert set(found) <= {b"o", b"n"}, "none was lost"
            assert not proxy.drain(0.2, at(old.port))
            assert echoed(connection, b"still here")
        assert proxy.drain(LIMIT_S, at(old.port))
        proxy.apply(tcp.site(new, second))
        names = {b"n", b"s"}
        with connect(port) as one, connect(port) as other:
            assert {one.recv(1), other.recv(1)} == names


def test_nothing_answers_in_maintenance_mode_or_without_instances(tcp: Tcp) -> None:
    """The connection is closed, and the port stays the app's."""
    with greeter(b"a") as app:
        for site in (replace(tcp.site(app), closed=True), tcp.site()):
            tcp.server.proxy.apply(site)
            assert greeting(tcp.ports[0]) == b""
            with socket.socket() as other, pytest.raises(OSError, match="in use"):
                other.bind(("0.0.0.0", tcp.ports[0]))
        tcp.server.proxy.apply(tcp.site(app))
        assert greeting(tcp.ports[0]) == b"a"


def test_addresses_that_an_app_refuses_are_refused_here_too(tcp: Tcp) -> None:
    """By the settings allow and deny."""
    with greeter(b"a") as app:
        for values, welcome in (
            ({"deny": "127.0.0.0/8"}, b""),
            ({"allow": "192.0.2.1"}, b""),
            ({"allow": "127.0.0.1"}, b"a"),
        ):
            settings = router_settings(values, {})
            tcp.server.proxy.apply(replace(tcp.site(app), settings=settings))
            assert greeting(tcp.ports[0]) == welcome


def test_a_port_that_another_program_has_harms_no_one(tcp: Tcp) -> None:
    """It is refused, with nothing changed; and a proxy that starts then does so without it."""
    with greeter(b"a") as app, application() as web, socket.socket() as other:
        proxy = tcp.server.proxy
        proxy.restore([Site(2, ("web.localhost",), at(web.server_port))])
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", tcp.ports[0]))
        other.listen()
        site = tcp.site(app)
        with pytest.raises(PaasError):
            proxy.apply(site)
        assert tcp.files() == []
        assert status_of(tcp.server.get("web.localhost")) == 200
        tcp.server.stop()
        proxy.restore([site, Site(2, ("web.localhost",), at(web.server_port))])
        assert len(tcp.files()) == 1
        set_taken_aside(tcp.files())
        assert tcp.files() == []
        tcp.server.start()
        assert status_of(tcp.server.get("web.localhost")) == 200
        assert not proxy.serves(site)
        other.close()
        proxy.apply(site)
        assert proxy.serves(site)
        wait_for(lambda: greeting(tcp.ports[0]) == b"a")


def test_the_other_apps_deploys_leave_connections_alone(tcp: Tcp) -> None:
    """A former worker keeps them, and delays no drain of another app."""
    with greeter(b"a") as app, application() as old, application() as new:
        tcp.server.proxy.apply(tcp.site(app))
        tcp.server.proxy.apply(Site(2, ("web.localhost",), at(old.server_port)))
        with connect(tcp.ports[0]) as connection:
            assert connection.recv(1) == b"a"
            tcp.server.proxy.apply(Site(2, ("web.localhost",), at(new.server_port)))
            assert tcp.server.proxy.drain(LIMIT_S, at(old.server_port))
            assert echoed(connection, b"still here")
