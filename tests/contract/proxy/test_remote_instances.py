"""Instances on other machines: reached as those of this one are, and dead without a word."""

import socket
import time
from collections.abc import Iterator

import pytest

from paas.adapters.proxy.dead_machines import end_connections
from paas.adapters.proxy.nginx.drain import is_connected
from paas.domain.routing.sites import Site
from tests.contract.proxy.far_machine import FarMachine, far_machine
from tests.contract.proxy.haproxy_server import SERVERS
from tests.contract.proxy.nginx_server import WEBSOCKET, Nginx, read_all, read_answer, status_of
from tests.waiting import wait_for

POST = b"POST / HTTP/1.1\r\nHost: a.localhost\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx"


@pytest.fixture(scope="module", params=list(SERVERS))
def server(request: pytest.FixtureRequest) -> Iterator[Nginx]:
    with SERVERS[request.param](worker_limit_s=300.0) as server:
        yield server


@pytest.fixture(scope="module")
def machines() -> Iterator[tuple[FarMachine, FarMachine]]:
    with far_machine() as one, far_machine() as two:
        yield one, two


@pytest.fixture
def nginx(server: Nginx, machines: tuple[FarMachine, FarMachine]) -> Nginx:
    for machine in machines:
        machine.revive()
    server.proxy.restore([])
    server.proxy.drain(60)
    return server


def test_what_was_begun_is_waited_for(
    nginx: Nginx, machines: tuple[FarMachine, FarMachine]
) -> None:
    """A request, and a WebSocket, whose instance is replaced."""
    one, two = machines
    with one.application() as old, two.application() as new:
        nginx.proxy.apply(Site(1, ("a.localhost",), one.at(old)))
        with nginx.connect() as slow, nginx.connect() as websocket:
            slow.sendall(b"GET /slow HTTP/1.1\r\nHost: a.localhost\r\n\r\n")
            assert old.slow_started.wait(150)
            websocket.sendall(WEBSOCKET)
            assert status_of(read_answer(websocket)) == 101
            nginx.proxy.apply(Site(1, ("a.localhost",), two.at(new)))
            assert status_of(nginx.get("a.localhost")) == 200
            assert (old.count, new.count) == (0, 1)
            assert not nginx.proxy.drain(0.3, one.at(old))
            old.slow_may_end.set()
            assert status_of(read_answer(slow)) == 200
            slow.close()
            assert not nginx.proxy.drain(0.3, one.at(old))
            websocket.sendall(b"still here")
            assert websocket.recv(4096) == b"still here"
        assert nginx.proxy.drain(60, one.at(old))


@pytest.mark.differs(
    "an instance on [another machine](how-to/several-machines.md#what-visitors-notice) that does "
    "not answer",
    nginx="is skipped for 10 s after one failure",
    haproxy="is checked every second, and skipped after three failures",
)
def test_a_dead_machine_costs_time_but_no_request(
    nginx: Nginx, machines: tuple[FarMachine, FarMachine]
) -> None:
    """As soon as no idle connection to it is left. Half the instances are there."""
    dead, alive = machines
    with (
        dead.application() as one,
        dead.application() as two,
        alive.application() as three,
        alive.application() as four,
    ):
        endpoints = dead.at(one, two)
        nginx.proxy.apply(Site(1, ("a.localhost",), (*endpoints, *alive.at(three, four))))
        usual_s = 0.0
        for _ in range(8):
            began = time.monotonic()
            assert status_of(nginx.get("a.localhost")) == 200
            usual_s = max(usual_s, time.monotonic() - began)
        assert all(app.count for app in (one, two, three, four))
        proxies = nginx.proxy_uids()
        wait_for(lambda: not is_connected(endpoints, proxies))
        dead.die()
        waits = 0
        for _ in range(8):
            began = time.monotonic()
            assert status_of(nginx.get("a.localhost")) == 200
            assert status_of(nginx.raw(POST)) == 200
            waits += int(max(0.0, time.monotonic() - began - 2 * usual_s) // 5)
        # With 5 s for each attempt it would be 8.
        assert waits < 4


def test_what_a_dead_machine_was_to_answer_is_answered(
    nginx: Nginx, machines: tuple[FarMachine, FarMachine]
) -> None:
    """By another instance, if it may be repeated. What a living machine has is waited for."""
    dead, alive = machines
    with dead.application() as one, alive.application() as two:
        nginx.proxy.apply(Site(1, ("a.localhost",), dead.at(one)))
        post = _begin(nginx, b"POST /slow HTTP/1.1\r\nContent-Length: 1")
        post.sendall(b"x")
        wait_for(lambda: one.slow == 1)
        nginx.proxy.apply(Site(1, ("a.localhost",), (*dead.at(one), *alive.at(two))))
        gets: list[socket.socket] = []
        # Of two that come in the same instant, the second may not know yet where the first went.
        while not (one.slow > 1 and two.slow):
            assert len(gets) < 20
            gets.append(_begin(nginx, b"GET /slow HTTP/1.1"))
            wait_for(lambda: one.slow - 1 + two.slow == len(gets))
        dead.die()
        end_connections((*dead.at(one), *alive.at(two)))
        two.slow_may_end.set()
        assert {status_of(read_all(get)) for get in gets} == {200}
        assert two.count == len(gets)
        assert status_of(read_all(post)) == 502
        for connection in (post, *gets):
            connection.close()


def _begin(nginx: Nginx, head: bytes) -> socket.socket:
    connection = nginx.connect()
    connection.settimeout(60)
    connection.sendall(head + b"\r\nHost: a.localhost\r\nConnection: close\r\n\r\n")
    return connection
