"""A proxy while its sites change: nothing is lost, and what was begun comes to its end."""

import threading
import time
from collections.abc import Iterator

import pytest

from paas.domain.errors import PaasError
from paas.domain.sites import Site
from tests.contract.haproxy_server import SERVERS
from tests.contract.nginx_server import WEBSOCKET, Nginx, application, status_of, wait_until


@pytest.fixture(scope="module", params=list(SERVERS))
def server(request: pytest.FixtureRequest) -> Iterator[Nginx]:
    with SERVERS[request.param]() as server:
        yield server


@pytest.fixture
def nginx(server: Nginx) -> Nginx:
    server.proxy.restore([])
    server.proxy.drain(10)
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
        nginx.proxy.apply(Site(1, ("a.localhost",), (first.server_port,)))
        with Load(nginx, "a.localhost", 200) as load:
            for _ in range(12):
                with application() as app:
                    nginx.proxy.apply(Site(1, ("a.localhost",), (app.server_port,)))
                    assert nginx.proxy.drain(10)
                    time.sleep(0.05)
                    assert app.count > 0
                    nginx.proxy.apply(Site(1, ("a.localhost",), (first.server_port,)))
                    assert nginx.proxy.drain(10)
    assert len(load.statuses) > 150
    assert set(load.statuses) == {200}


def test_new_connections_are_routed_by_the_new_site_at_once(nginx: Nginx) -> None:
    """After apply, no worker with the former site takes a connection, drained or not."""
    with application() as old, application() as new:
        nginx.proxy.apply(Site(1, ("a.localhost",), (old.server_port,)))
        for app, other in ((new, old), (old, new), (new, old)):
            nginx.proxy.apply(Site(1, ("a.localhost",), (app.server_port,)))
            before = other.count
            for _ in range(20):
                nginx.get("a.localhost")
            assert other.count == before


def test_a_request_in_progress_is_answered(nginx: Nginx) -> None:
    """A slow request outlives the change of its site; drain waits for it, as long as it may."""
    with application() as old, application() as new:
        nginx.proxy.apply(Site(1, ("a.localhost",), (old.server_port,)))
        connection = nginx.connect()
        connection.sendall(b"GET /slow HTTP/1.1\r\nHost: a.localhost\r\n\r\n")
        assert old.slow_started.wait(5)
        nginx.proxy.apply(Site(1, ("a.localhost",), (new.server_port,)))
        assert not nginx.proxy.drain(0.05)
        old.slow_may_end.set()
        assert status_of(connection.recv(65536)) == 200
        assert nginx.proxy.drain(5)
        connection.close()


def test_a_connection_without_a_request_yet_is_still_served(nginx: Nginx) -> None:
    """A browser opens connections ahead: they are served, by the old instance until drained."""
    with application() as old, application() as new:
        nginx.proxy.apply(Site(1, ("a.localhost",), (old.server_port,)))
        with nginx.connect() as connection:
            wait_until(lambda: nginx.accepted(connection))
            nginx.proxy.apply(Site(1, ("a.localhost",), (new.server_port,)))
            drained = nginx.proxy.drain(0.05)
            connection.sendall(b"GET / HTTP/1.1\r\nHost: a.localhost\r\n\r\n")
            assert status_of(connection.recv(65536)) == 200
            assert (old.count, new.count) == ((0, 1) if drained else (1, 0))
            assert nginx.proxy.drain(5)


def test_an_idle_connection_is_closed_cleanly(nginx: Nginx) -> None:
    """A kept-alive client sees the end of its connection, never half an answer."""
    with application() as app:
        nginx.proxy.apply(Site(1, ("a.localhost",), (app.server_port,)))
        connection = nginx.connect()
        for _ in range(2):
            connection.sendall(b"GET / HTTP/1.1\r\nHost: a.localhost\r\n\r\n")
            assert status_of(connection.recv(65536)) == 200
        nginx.proxy.apply(Site(2, ("b.localhost",), ()))
        assert connection.recv(65536) == b""
        connection.close()


def test_a_websocket_of_another_app_lives_on_up_to_the_worker_limit(nginx: Nginx) -> None:
    """It holds an old worker for no longer than worker_limit_s, and is closed cleanly."""
    with application() as app:
        nginx.proxy.apply(Site(1, ("a.localhost",), (app.server_port,)))
        connection = nginx.connect()
        connection.sendall(WEBSOCKET)
        assert status_of(connection.recv(4096)) == 101
        nginx.proxy.apply(Site(2, ("b.localhost",), ()))
        connection.sendall(b"still here")
        assert connection.recv(4096) == b"still here"
        connection.settimeout(nginx.settings.worker_limit_s + 2)
        assert connection.recv(4096) == b""
        assert nginx.proxy.drain(1)
        connection.close()


def test_a_websocket_on_an_old_instance_is_waited_for(nginx: Nginx) -> None:
    """It goes on while its instance is drained."""
    with application() as old, application() as new:
        nginx.proxy.apply(Site(1, ("a.localhost",), (old.server_port,)))
        with nginx.connect() as connection:
            connection.sendall(WEBSOCKET)
            assert status_of(connection.recv(4096)) == 101
            nginx.proxy.apply(Site(1, ("a.localhost",), (new.server_port,)))
            assert not nginx.proxy.drain(0.2)
            connection.sendall(b"still here")
            assert connection.recv(4096) == b"still here"
        assert nginx.proxy.drain(5)


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
    """Killed between the file and the reload: who removes it again has it served no more."""
    with application() as app:
        nginx.proxy.apply(Site(1, ("a.localhost",), (app.server_port,)))
        for path in nginx.settings.state.glob("*/sites/1.*"):
            path.unlink()
        nginx.pending.touch()
        assert status_of(nginx.get("a.localhost")) == 200
        nginx.proxy.remove(1)
        assert status_of(nginx.get("a.localhost")) != 200
    assert not nginx.pending.exists()


def test_300_sites_do_not_slow_a_change_much(nginx: Nginx) -> None:
    """A change with 300 other apps' files takes well under a second."""
    others = [Site(n, (f"app{n}.localhost",), (20_000 + n,)) for n in range(2, 302)]
    nginx.proxy.restore(others)
    times = []
    for port in (20_001, 20_002, 20_003):
        start = time.monotonic()
        nginx.proxy.apply(Site(1, ("a.localhost",), (port,)))
        times.append(time.monotonic() - start)
    assert min(times) < 0.8, times


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
        assert nginx.proxy.drain(1)
        nginx.start()
        assert status_of(nginx.get("c.localhost")) == 503
        assert status_of(nginx.get("a.localhost")) in {0, 404}
