"""nginx while its files change: nothing is lost, nothing bad stays, and it says why."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from paas.adapters.nginx_process import NginxProcess
from paas.adapters.nginx_site import render_site
from paas.adapters.proxy_nginx import NginxProxy
from paas.domain.errors import PaasError
from paas.domain.sites import Site
from tests.contract.nginx_server import (
    Nginx,
    application,
    free_port,
    nginx_server,
    status_of,
    wait_until,
)


@pytest.fixture(scope="module")
def server() -> Iterator[Nginx]:
    with nginx_server() as nginx:
        yield nginx


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


def test_workers_do_not_pile_up_over_quick_changes(nginx: Nginx) -> None:
    """Former workers are sent away before nginx would do it, and none is started in their place."""
    process = NginxProcess(nginx.settings.nginx_conf, nginx.settings.nginx_pid, 10)
    before = len(_serving(process.running()))
    for port in range(21001, 21011):
        nginx.proxy.apply(Site(1, ("a.localhost",), (port,)))
    time.sleep(0.3)
    assert len(_serving(process.running())) == before


def _serving(master: int) -> list[str]:
    children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    titles = [Path(f"/proc/{child}/cmdline").read_bytes() for child in children]
    return [title.decode() for title in titles if b"worker process" in title]


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
    assert len(load.statuses) > 300
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
    """A browser opens connections ahead: the old worker and the old instance serve them."""
    with application() as old, application() as new:
        nginx.proxy.apply(Site(1, ("a.localhost",), (old.server_port,)))
        with nginx.connect() as connection:
            wait_until(lambda: nginx.accepted(connection))
            nginx.proxy.apply(Site(1, ("a.localhost",), (new.server_port,)))
            assert not nginx.proxy.drain(0.05)
            connection.sendall(b"GET / HTTP/1.1\r\nHost: a.localhost\r\n\r\n")
            assert status_of(connection.recv(65536)) == 200
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


def test_old_workers_end_with_the_worker_limit(nginx: Nginx) -> None:
    """A WebSocket holds an old worker for no longer than worker_limit_s."""
    with application() as app:
        nginx.proxy.apply(Site(1, ("a.localhost",), (app.server_port,)))
        connection = nginx.connect()
        connection.sendall(
            b"GET / HTTP/1.1\r\nHost: a.localhost\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\n\r\n"
        )
        assert status_of(connection.recv(4096)) == 101
        nginx.proxy.apply(Site(2, ("b.localhost",), ()))
        assert not nginx.proxy.drain(0.2)
        connection.sendall(b"still here")
        assert connection.recv(4096) == b"still here"
        assert nginx.proxy.drain(nginx.settings.worker_limit_s + 2)
        connection.close()


def test_the_same_site_again_is_no_reload(nginx: Nginx) -> None:
    """Unless a crash came between the file and its reload."""
    site = Site(1, ("a.localhost",), ())
    nginx.proxy.apply(site)
    workers = nginx.workers()
    nginx.proxy.apply(site)
    assert nginx.workers() == workers
    (nginx.settings.state / "nginx" / "reload-pending").touch()
    nginx.proxy.apply(site)
    assert nginx.workers() != workers


def test_a_refusal_puts_the_former_file_back(nginx: Nginx) -> None:
    """Another app's file is broken: the change fails in nginx's words, and all goes on."""
    sites = nginx.settings.state / "nginx" / "sites"
    with application() as app:
        site = Site(1, ("a.localhost",), (app.server_port,))
        nginx.proxy.apply(site)
        former = (sites / "1.conf").read_bytes()
        (sites / "2.conf").write_text("server { nonsense on; }\n")
        for change in (Site(1, ("c.localhost",), ()), Site(3, ("d.localhost",), ())):
            with pytest.raises(PaasError) as caught:
                nginx.proxy.apply(change)
            assert 'unknown directive "nonsense"' in caught.value.message
            assert "2.conf:1" in caught.value.message
        assert (sites / "1.conf").read_bytes() == former
        assert not (sites / "3.conf").exists()
        assert status_of(nginx.get("a.localhost")) == 200


def test_restore_sets_aside_what_nginx_refuses(nginx: Nginx) -> None:
    """One app's file that nginx refuses does not keep the others from being served."""
    wrong = Site(2, ("b.localhost",), (1,))
    # A directory where its log should be is the one thing that makes a rendered file fail.
    log = nginx.settings.state / "logs" / "2" / "router.log"
    with application() as app:
        log.unlink(missing_ok=True)
        log.mkdir(parents=True)
        try:
            nginx.proxy.restore([Site(1, ("a.localhost",), (app.server_port,)), wrong])
            assert nginx.proxy.sites() == {1}
            assert nginx.proxy.refused() == {2}
            assert status_of(nginx.get("a.localhost")) == 200
        finally:
            log.rmdir()
        nginx.proxy.restore([wrong])
        assert nginx.proxy.refused() == set()
        assert nginx.proxy.sites() == {2}


def test_a_reload_that_fails_is_noticed(nginx: Nginx) -> None:
    """nginx -t does not see that a port is taken; nginx itself then keeps its old workers."""
    hasty = NginxProxy(nginx.settings, reload_limit_s=1.0)
    hasty.apply(Site(1, ("a.localhost",), ()))
    former = nginx.settings.nginx_http_conf.read_text()
    error_log = nginx.settings.state / "logs" / "nginx-error.log"
    taken = free_port()
    with socket.create_server(("127.0.0.1", taken)):
        extra = f"server {{ listen 127.0.0.1:{taken}; }}\n"
        nginx.settings.nginx_http_conf.write_text(former + extra)
        with pytest.raises(PaasError) as caught:
            hasty.apply(Site(1, ("c.localhost",), ()))
        assert caught.value.reference == "proxy-reload"
        assert status_of(nginx.get("a.localhost")) == 503
        # It tries to bind five times before it gives up.
        wait_until(lambda: "still could not bind" in error_log.read_text())
    nginx.settings.nginx_http_conf.write_text(former)
    site_file = nginx.settings.state / "nginx" / "sites" / "1.conf"
    expected = render_site(Site(1, ("a.localhost",), ()), nginx.settings, ipv6=True)
    assert site_file.read_text() == expected


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


def test_without_nginx_the_files_wait_for_it() -> None:
    """nginx down: apply says so and changes nothing; restore and remove write the files."""
    with nginx_server() as nginx:
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
        assert nginx.get("a.localhost") == b""
