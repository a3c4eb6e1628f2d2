"""What Ports and HealthProbe promise, for the fakes and the real ones alike."""

import http.server
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from paas.adapters.network.health import HttpProbe
from paas.adapters.network.ports import LocalPorts
from paas.domain.routing.endpoints import on_loopback
from paas.domain.routing.visits import Visit
from paas.interfaces import HealthProbe, Ports
from paas.settings import Settings
from tests import ports as test_ports
from tests.fakes.ports import FakePorts, FakeProbe

VISIT = Visit("shop.example.com")


class Machine:
    """Ports of one kind, and a way to have something listen on one."""

    def __init__(self, ports: Ports) -> None:
        self.ports = ports

    @contextmanager
    def listening(self, port: int) -> Iterator[None]:
        if isinstance(self.ports, FakePorts):
            self.ports.used.add(port)
            yield
            self.ports.used.remove(port)
            return
        with socket.create_server(("127.0.0.1", port)):
            yield


@pytest.fixture(params=["fake", "real"])
def machine(request: pytest.FixtureRequest) -> Machine:
    """Each kind."""
    if request.param == "fake":
        return Machine(FakePorts())
    block = test_ports.free_range()
    return Machine(LocalPorts(Settings(state=Path("/nowhere"), ports=(block[0], block[-1]))))


def test_free_ports_are_different_and_not_taken(machine: Machine) -> None:
    """As many as were asked for."""
    first = machine.ports.free(set(), 3)
    assert len(set(first)) == 3
    second = machine.ports.free(set(first), 3)
    assert not set(first) & set(second)
    assert machine.ports.free(set(), 0) == []


def test_a_port_in_use_is_not_free(machine: Machine) -> None:
    """It is not given out, and is found to be in use until it is released."""
    (port,) = machine.ports.free(set(), 1)
    assert machine.ports.are_free([on_loopback(port)])
    with machine.listening(port):
        assert not machine.ports.are_free([on_loopback(port)])
        assert port not in machine.ports.free(set(), 5)
    assert machine.ports.are_free([on_loopback(port)])


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status = {"/": 404, "/up": 200}.get(self.path, 500)
        self.send_response(status)
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"fine")

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


@pytest.fixture(params=["fake", "real"])
def probed(request: pytest.FixtureRequest) -> Iterator[tuple[HealthProbe, int, int]]:
    """A probe, a port that answers with 404 to / and 200 to /up, and a port that is silent."""
    silent = test_ports.free_port()
    if request.param == "fake":
        fake = FakeProbe()
        fake.status, fake.silent_ports = 404, {silent}
        yield fake, test_ports.free_port(), silent
        return
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield HttpProbe(), server.server_address[1], silent
    server.shutdown()
    thread.join()
    server.server_close()


def test_any_status_is_an_answer(probed: tuple[HealthProbe, int, int]) -> None:
    """Of a port where nothing listens there is none."""
    probe, port, silent = probed
    assert probe.answers(on_loopback(port), VISIT, 30.0) == 404
    assert probe.answers(on_loopback(silent), VISIT, 30.0) is None
    assert probe.accepts(on_loopback(port), 30.0)
    assert not probe.accepts(on_loopback(silent), 30.0)


def test_a_page_is_answered_with_status_and_body(probed: tuple[HealthProbe, int, int]) -> None:
    """And none of a silent port; no redirect where the app sends nobody elsewhere."""
    probe, port, silent = probed
    answer = probe.get(on_loopback(port), VISIT, "/up", [], 30.0)
    assert answer is not None
    assert (answer.status, answer.body) == (200, b"fine")
    assert probe.get(on_loopback(silent), VISIT, "/up", [], 30.0) is None
    assert probe.redirect(on_loopback(port), "shop.example.com", 30.0) is None
    assert probe.redirect(on_loopback(silent), "shop.example.com", 30.0) is None
