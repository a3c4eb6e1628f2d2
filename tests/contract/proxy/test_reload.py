"""A proxy while its sites change: nothing is lost, and what was begun comes to its end."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial

import pytest

from paas.adapters.proxy.nginx.proxy import NginxProxy
from paas.adapters.proxy.nginx.tls import installed_tls
from paas.domain.routing.sites import Site
from paas.domain.values.errors import PaasError
from tests.contract.proxy.haproxy_server import SERVERS, Haproxy
from tests.contract.proxy.nginx_server import (
    WEBSOCKET,
    Nginx,
    application,
    read_all,
    read_answer,
    status_of,
)
from tests.endpoints import at
from tests.waiting import wait_for


@pytest.fixture(scope="module", params=list(SERVERS))
def server(request: pytest.FixtureRequest) -> Iterator[Nginx]:
    with SERVERS[request.param](worker_limit_s=300.0) as server:
        yield server


@pytest.fixture
def nginx(server: Nginx) -> Nginx:
    server.proxy.restore([])
    server.proxy.drain(60)
    return server


class Load:
    """Requests on new connections at a steady rate, from a few threads."""

    def __init__(self, nginx: Nginx, host: str, per_second: int) -> None:
        self._nginx, self._host = nginx, host
        self._pause_s = 8 / per_second
        self._stop = threading.Event()
        self.statuses: list[int] = []
        self._threads = [threading.Thread(target=self._run, args=(n,)) for n in range(8)]

    def _run(self, number: int) -> None:
        due = time.monotonic() + number * self._pause_s / 8
        while not self._stop.is_set():
            time.sleep(max(0.0, due - time.monotonic()))
            due += self._pause_s
            try:
                self.statuses.append(status_of(self._nginx.get(self._host)))
            except OSError:
                self.statuses.append(-1)

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


def test_no_request_is_lost_when_instances_change(nginx: Nginx) -> None:
    """200 new connections a second, and 12 times a new instance takes over and the old ends."""
    with application() as first:
        nginx.proxy.apply(Site(1, ("a.localhost",), at(first.server_port)))
        with Load(nginx, "a.localhost", 200) as load:
            for _ in range(12):
                with application() as app:
                    nginx.proxy.apply(Site(1, ("a.localhost",), at(app.server_port)))
                    assert nginx.proxy.drain(60)
                    wait_for(partial(app.has_answered, 11))
                    nginx.proxy.apply(Site(1, ("a.localhost",), at(first.server_port)))
                    assert nginx.proxy.drain(60)
    assert len(load.statuses) > 120
    assert set(load.statuses) == {200}


@pytest.mark.differs(
    "new apps, domains, certificates, settings",
    nginx="reload",
    haproxy="reload; listening sockets are handed over to the new worker",
)
def test_new_connections_are_routed_by_the_new_site_at_once(nginx: Nginx) -> None:
    """After apply, no worker with the former site takes a connection, drained or not."""
    with application() as old, application() as new:
        nginx.proxy.apply(Site(1, ("a.localhost",), at(old.server_port)))
        for app, other in ((new, old), (old, new), (new, old)):
            nginx.proxy.apply(Site(1, ("a.localhost",), at(app.server_port)))
            before = other.count
            for _ in range(20):
                nginx.get("a.localhost")
            assert other.count == before


def test_a_request_in_progress_is_answered(nginx: Nginx) -> None:
    """A slow request outlives the change of its site; drain waits for it, as long as it may."""
    with application() as old, application() as new:
        nginx.proxy.apply(Site(1, ("a.localhost",), at(old.server_port)))
        connection = nginx.connect()
        connection.sendall(b"GET /slow HTTP/1.1\r\nHost: a.localhost\r\n\r\n")
        assert old.slow_started.wait(150)
        nginx.proxy.apply(Site(1, ("a.localhost",), at(new.server_port)))
        assert not nginx.proxy.drain(0.05)
        old.slow_may_end.set()
        assert status_of(read_answer(connection)) == 200
        assert nginx.proxy.drain(60)
        connection.close()


def test_a_connection_without_a_request_yet_is_still_served(nginx: Nginx) -> None:
    """A browser opens connections ahead: they are served, by the old instance until drained."""
    with application() as old, application() as new:
        nginx.proxy.apply(Site(1, ("a.localhost",), at(old.server_port)))
        with nginx.connect() as connection:
            wait_for(lambda: nginx.accepted(connection))
            nginx.proxy.apply(Site(1, ("a.localhost",), at(new.server_port)))
            drained = nginx.proxy.drain(0.05)
            connection.sendall(b"GET / HTTP/1.1\r\nHost: a.localhost\r\n\r\n")
            assert status_of(read_answer(connection)) == 200
            assert (old.count, new.count) == ((0, 1) if drained else (1, 0))
            assert nginx.proxy.drain(60)


GET = b"GET / HTTP/1.1\r\nHost: a.localhost\r\n\r\n"


@pytest.mark.differs(
    "an idle kept-alive connection at a deploy, restart or scaling",
    nginx="[closed](reference/environment.md#requests-at-a-switch)",
    haproxy="remains open",
)
def test_an_idle_connection_is_closed_cleanly(nginx: Nginx) -> None:
    """A kept-alive client sees the end of its connection, never half an answer.

    Nginx 1.27.4 and later still answers one more request on it.
    """
    with application() as app:
        nginx.proxy.apply(Site(1, ("a.localhost",), at(app.server_port)))
        with nginx.connect() as connection:
            for _ in range(2):
                connection.sendall(GET)
                assert status_of(read_answer(connection)) == 200
            nginx.proxy.apply(Site(2, ("b.localhost",), ()))
            if isinstance(nginx.proxy, NginxProxy) and installed_tls().keepalive_min:
                connection.sendall(GET)
                answer = read_all(connection)
                assert status_of(answer) == 200
                assert b"Connection: close" in answer
            assert connection.recv(65536) == b""


def test_a_websocket_of_another_app_lives_on(nginx: Nginx) -> None:
    """In a former worker."""
    with application() as app:
        nginx.proxy.apply(Site(1, ("a.localhost",), at(app.server_port)))
        with nginx.connect() as connection:
            connection.sendall(WEBSOCKET)
            assert status_of(read_answer(connection)) == 101
            nginx.proxy.apply(Site(2, ("b.localhost",), ()))
            connection.sendall(b"still here")
            assert connection.recv(4096) == b"still here"


@pytest.mark.parametrize("kind", SERVERS)
def test_a_websocket_lives_no_longer_than_the_worker_limit(kind: str) -> None:
    """Of another app: it holds an old worker for so long, and is closed cleanly."""
    with SERVERS[kind](worker_limit_s=2.0) as nginx, application() as app:
        nginx.proxy.apply(Site(1, ("a.localhost",), at(app.server_port)))
        with nginx.connect() as connection:
            connection.sendall(WEBSOCKET)
            assert status_of(read_answer(connection)) == 101
            nginx.proxy.apply(Site(2, ("b.localhost",), ()))
            assert connection.recv(4096) == b""
            assert nginx.proxy.drain(60)


def test_a_websocket_on_an_old_instance_is_waited_for(nginx: Nginx) -> None:
    """It continues while its instance is drained."""
    with application() as old, application() as new:
        nginx.proxy.apply(Site(1, ("a.localhost",), at(old.server_port)))
        with nginx.connect() as connection:
            connection.sendall(WEBSOCKET)
            assert status_of(read_answer(connection)) == 101
            nginx.proxy.apply(Site(1, ("a.localhost",), at(new.server_port)))
            assert not nginx.proxy.drain(0.2)
            connection.sendall(b"still here")
            assert connection.recv(4096) == b"still here"
        assert nginx.proxy.drain(60)


def test_another_apps_websocket_delays_no_drain(nginx: Nginx) -> None:
    """Neither one that keeps a former worker, nor one that its own app's drain waits for."""
    with (
        application() as talking,
        application() as next_,
        application() as old,
        application() as new,
    ):
        nginx.proxy.apply(Site(1, ("a.localhost",), at(talking.server_port)))
        nginx.proxy.apply(Site(2, ("b.localhost",), at(old.server_port)))
        with nginx.connect() as connection:
            connection.sendall(WEBSOCKET)
            assert status_of(read_answer(connection)) == 101
            nginx.proxy.apply(Site(1, ("a.localhost",), at(next_.server_port)))
            for here, there in ((old, new), (new, old), (old, new)):
                nginx.proxy.apply(Site(2, ("b.localhost",), at(there.server_port)))
                assert nginx.proxy.drain(60, at(here.server_port))
            assert not nginx.proxy.drain(0.1, at(talking.server_port))
            connection.sendall(b"still here")
            assert connection.recv(4096) == b"still here"
        assert nginx.proxy.drain(60, at(talking.server_port))


def test_nothing_is_lost_of_what_comes_late(nginx: Nginx) -> None:
    """Under load, beside another app's WebSocket: a connection without a request yet, a body that
    is half there, and one for a WebSocket. Their app's instances are replaced, drained, and gone.
    """
    late = [
        b"GET /late HTTP/1.1\r\nHost: b.localhost\r\nConnection: close\r\n\r\n",
        b"POST /body HTTP/1.1\r\nHost: b.localhost\r\nConnection: close\r\nContent-Length: 6\r\n"
        b"\r\nabcdef",
        WEBSOCKET.replace(b"a.localhost", b"b.localhost"),
    ]
    first = [0, len(late[1]) - 3, 20]
    with ExitStack() as open_, application() as talking, application() as stays:
        nginx.proxy.apply(Site(1, ("a.localhost",), at(talking.server_port)))
        nginx.proxy.apply(Site(2, ("b.localhost",), at(stays.server_port)))
        websocket = open_.enter_context(nginx.connect())
        websocket.sendall(WEBSOCKET)
        assert status_of(read_answer(websocket)) == 101
        with Load(nginx, "b.localhost", 100) as load:
            for _ in range(4):
                with application() as old:
                    nginx.proxy.apply(Site(2, ("b.localhost",), at(old.server_port)))
                    connections = [nginx.connect() for _ in late]
                    for connection, text, size in zip(connections, late, first, strict=True):
                        connection.sendall(text[:size])
                        wait_for(partial(nginx.accepted, connection))
                    nginx.proxy.apply(Site(2, ("b.localhost",), at(stays.server_port)))
                    # HAProxy waits for those who may send a request yet.
                    limit_s = 1 if isinstance(nginx, Haproxy) else 60
                    if not nginx.proxy.drain(limit_s, at(old.server_port)):
                        assert isinstance(nginx, Haproxy)
                        old.slow_may_end.set()
                        _finish(connections, late, first)
                        assert nginx.proxy.drain(60, at(old.server_port))
                        continue
                _finish(connections, late, first)
            wait_for(lambda: len(load.statuses) > 50)
    assert set(load.statuses) == {200}


def _finish(connections: list[socket.socket], texts: list[bytes], sent: list[int]) -> None:
    """Send what is left; each is answered."""
    for connection, text, size in zip(connections, texts, sent, strict=True):
        with connection:
            connection.sendall(text[size:])
            if b"Upgrade" in text:
                assert status_of(read_answer(connection)) == 101
                continue
            answer = read_all(connection)
            assert status_of(answer) == 200
            if b"abcdef" in text:
                assert b'"bytes": 6' in answer


def test_what_an_app_is_told_is_the_same_by_a_detour(nginx: Nginx) -> None:
    """A request that came to a former worker for an instance that is gone."""
    with application() as new:
        with application() as old:
            nginx.proxy.apply(Site(2, ("b.localhost",), at(old.server_port)))
            connections = [nginx.connect(), nginx.connect()]
            for connection in connections:
                wait_for(partial(nginx.accepted, connection))
            nginx.proxy.apply(Site(2, ("b.localhost",), at(new.server_port)))
            if not nginx.proxy.drain(1, at(old.server_port)):
                return  # HAProxy
        bodies = []
        for connection in (connections[0], nginx.connect()):
            with connection:
                connection.sendall(
                    b"GET /x?y HTTP/1.1\r\nHost: b.localhost:81\r\nX-Forwarded-For: 6.6.6.6\r\n"
                    b"X-Big: " + 6000 * b"x" + b"\r\nConnection: close\r\n\r\n"
                )
                head, _, body = read_all(connection).partition(b"\r\n\r\n")
                assert b"200 OK" in head
                bodies.append(json.loads(body)["headers"])
        for told in bodies:
            assert told.pop("x-request-id")
        assert bodies[0] == bodies[1]
        assert new.paths == ["/x?y", "/x?y"]
        new.disconnect()
    with connections[1] as connection, socket.socket() as taken:
        # Bound, so that no other test listens there; not listening, so that nginx is refused.
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", new.server_port))
        connection.sendall(b"GET / HTTP/1.1\r\nHost: b.localhost\r\nConnection: close\r\n\r\n")
        answer = read_all(connection)
        assert status_of(answer) == 502
        assert b"x-request-id" in answer.lower()


def test_the_same_site_again_is_no_reload(nginx: Nginx) -> None:
    """Unless a crash came between the file and its reload."""
    site = Site(1, ("a.localhost",), ())
    nginx.proxy.apply(site)
    workers = nginx.workers()
    nginx.proxy.apply(site)
    assert nginx.workers() == workers
    nginx.pending.touch()
    nginx.proxy.apply(site)
    assert nginx.workers() != workers


def test_a_site_is_gone_though_its_removal_was_interrupted(nginx: Nginx) -> None:
    """Killed between the file and the reload: removing it again stops serving it."""
    with application() as app:
        nginx.proxy.apply(Site(1, ("a.localhost",), at(app.server_port)))
        for path in nginx.settings.state.glob("*/sites/1.*"):
            path.unlink()
        nginx.pending.touch()
        assert status_of(nginx.get("a.localhost")) == 200
        nginx.proxy.remove(1)
        assert status_of(nginx.get("a.localhost")) != 200
    assert not nginx.pending.exists()


@pytest.mark.parametrize("kind", SERVERS)
def test_without_the_program_the_files_wait_for_it(kind: str) -> None:
    """It is down: apply says so and changes nothing; restore and remove write the files."""
    with SERVERS[kind]() as nginx:
        nginx.proxy.apply(Site(1, ("a.localhost",), ()))
        nginx.stop()
        with pytest.raises(PaasError) as caught:
            nginx.proxy.apply(Site(2, ("b.localhost",), ()))
        assert caught.value.reference == "proxy-down"
        assert nginx.proxy.sites() == {1}
        nginx.proxy.restore([Site(1, ("a.localhost",), ()), Site(3, ("c.localhost",), ())])
        nginx.proxy.remove(1)
        assert nginx.proxy.drain(60)
        nginx.start()
        assert status_of(nginx.get("c.localhost")) == 503
        assert status_of(nginx.get("a.localhost")) in {0, 404}
