"""Changing from nginx to HAProxy and back: what was begun ends well, and what fails is undone."""

import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest

from paas.adapters.network.firewall import NftFirewall
from paas.adapters.proxy import handover
from paas.adapters.proxy.choice import ChosenProxy
from paas.adapters.proxy.haproxy.conf import haproxy_argv
from paas.adapters.proxy.haproxy.proxy import HaproxyProxy
from paas.adapters.proxy.nginx.proxy import NginxProxy
from paas.adapters.proxy.switch import ToHaproxy, ToNginx
from paas.domain.routing.sites import Site
from paas.domain.values.errors import PaasError
from paas.interfaces import Progress
from paas.settings import Settings
from tests.contract.proxy.nginx_server import (
    WEBSOCKET,
    Nginx,
    application,
    embedded_settings,
    read_answer,
    status_of,
)
from tests.contract.proxy.test_reload import Load
from tests.contract.proxy.test_tcp_ports import connect, echoed, greeter, greeting
from tests.endpoints import at
from tests.fakes.output import FakeProgress
from tests.ports import free_port, free_range
from tests.waiting import wait_for


class LocalProgram:
    """`Program` of proxy_switch: HAProxy as a child. broken: it cannot be started."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.broken = False
        self.child: subprocess.Popen[bytes] | None = None

    def install(self, progress: Progress) -> None:
        """It is."""

    def keep(self, *, running: bool) -> None:
        if running and self.broken:
            raise PaasError("supervisor-down", "It cannot be started.")
        if running and self.child is None:
            with (self._settings.state / "logs" / "haproxy.log").open("ab") as log:
                self.child = subprocess.Popen(haproxy_argv(self._settings), stdout=log, stderr=log)
        if not running and self.child is not None:
            self.child.terminate()
            self.child.wait(150)
            self.child = None


@dataclass
class Server:
    """A server with both kinds."""

    nginx: Nginx
    program: LocalProgram
    proxy: ChosenProxy

    def switch(self, kind: str, *sites: Site) -> None:
        """Serve these sites by that kind."""
        self.proxy.switch(kind, lambda: sites, FakeProgress())

    def written(self) -> str:
        """What server.yml says."""
        return (self.nginx.settings.etc / "server.yml").read_text()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    # A busy machine takes longer than visitors may be held up.
    monkeypatch.setattr(handover, "HOLD_LIMIT_S", 250)
    monkeypatch.setattr(handover, "QUEUE_LIMIT_S", 100.0)
    root = Path(tempfile.mkdtemp(prefix="paas-switch-"))
    root.chmod(0o755)
    files_port = free_port()
    block = free_range()
    settings = replace(
        embedded_settings(root),
        ports=(files_port - 1, files_port),
        tcp_ports=(block[0], block[-1]),
        worker_limit_s=300.0,
    )
    for directory in (settings.etc, settings.state, settings.run):
        directory.mkdir(mode=0o711)
    (settings.etc / "server.yml").write_text("proxy: nginx\n")
    nginx = Nginx(settings)
    program = LocalProgram(settings)
    proxy = ChosenProxy(
        settings,
        {"nginx": NginxProxy, "haproxy": HaproxyProxy},
        {"nginx": ToNginx(), "haproxy": ToHaproxy(program)},
    )
    proxy.restore([])
    firewall = NftFirewall(settings)
    firewall.install()
    try:
        nginx.start()
        yield Server(nginx, program, proxy)
    finally:
        program.keep(running=False)
        nginx.stop()
        firewall.remove()
        shutil.rmtree(root)


def test_a_switch_loses_nothing(server: Server) -> None:
    """There and back under load, three times: requests wait meanwhile; then deploys continue."""
    with application() as app, application() as other:
        site = Site(1, ("a.localhost",), at(app.server_port))
        server.proxy.apply(site)
        with Load(server.nginx, "a.localhost", 400) as load:
            for kind in ("haproxy", "nginx") * 3:
                wait_for(partial(app.has_answered, app.count + 20))
                server.switch(kind, site)
                assert server.proxy.kind() == kind
                assert server.written() == f"proxy: {kind}\n"
        assert set(load.statuses) == {200}
        assert len(load.statuses) > 100
        server.proxy.apply(replace(site, endpoints=at(other.server_port)))
        assert server.proxy.drain(60)
        before = app.count
        assert status_of(server.nginx.get("a.localhost")) == 200
        assert app.count == before


def test_without_the_firewall_a_switch_refuses_for_an_instant(server: Server) -> None:
    """Refused, reset (-1) or closed without an answer (0): the client knows of no success."""
    NftFirewall(server.nginx.settings).remove()
    with application() as app:
        site = Site(1, ("a.localhost",), at(app.server_port))
        server.proxy.apply(site)
        with Load(server.nginx, "a.localhost", 200) as load:
            for kind in ("haproxy", "nginx"):
                server.switch(kind, site)
        assert set(load.statuses) <= {200, 0, -1}


def test_what_was_begun_ends_where_it_began(server: Server) -> None:
    """A slow request and a WebSocket outlive the switch, and drain waits for them."""
    with application() as app:
        site = Site(1, ("a.localhost",), at(app.server_port))
        server.proxy.apply(site)
        for kind in ("haproxy", "nginx"):
            with server.nginx.connect() as slow, server.nginx.connect() as websocket:
                app.slow_started.clear()
                app.slow_may_end.clear()
                slow.sendall(b"GET /slow HTTP/1.1\r\nHost: a.localhost\r\n\r\n")
                websocket.sendall(WEBSOCKET)
                assert status_of(read_answer(websocket)) == 101
                assert app.slow_started.wait(150)
                server.switch(kind, site)
                assert not server.proxy.drain(0.1)
                app.slow_may_end.set()
                assert status_of(read_answer(slow)) == 200
                websocket.sendall(b"still here")
                assert websocket.recv(4096) == b"still here"
        assert server.proxy.stop_former(60)
        assert server.program.child is None
        assert server.proxy.drain(60)


def test_tcp_ports_change_hands_too(server: Server) -> None:
    """In both directions: open connections continue, and new ones are served."""
    port = server.nginx.settings.tcp_ports[0]
    with greeter(b"a") as app:
        site = Site(1, ("a.localhost",), at(app.port), tcp_ports=(port,))
        server.proxy.apply(site)
        for kind in ("haproxy", "nginx"):
            with connect(port) as connection:
                assert connection.recv(1) == b"a"
                server.switch(kind, site)
                assert echoed(connection, b"still here")
                assert greeting(port) == b"a"


def test_a_switch_that_fails_leaves_the_former_serving(server: Server) -> None:
    """HAProxy cannot be started, or a port is taken that nginx did not have."""
    with application() as app:
        site = Site(1, ("a.localhost",), at(app.server_port))
        server.proxy.apply(site)
        server.program.broken = True
        with pytest.raises(PaasError, match="cannot be started"):
            server.switch("haproxy", site)
        server.program.broken = False
        with socket.create_server(("127.0.0.1", server.nginx.settings.files_port)):
            hasty = server.proxy
            with pytest.raises(PaasError) as caught:
                hasty.switch("haproxy", lambda: [site], FakeProgress())
        assert caught.value.reference == "proxy-reload"
        assert server.proxy.kind() == "nginx"
        assert not server.proxy.is_unsettled()
        assert server.program.child is None
        assert status_of(server.nginx.get("a.localhost")) == 200
        server.switch("haproxy", site)
        assert status_of(server.nginx.get("a.localhost")) == 200


@pytest.mark.parametrize("kind", ["nginx", "haproxy"])
def test_an_interrupted_switch_is_settled(server: Server, kind: str) -> None:
    """Killed when nginx had let go of the ports: whoever server.yml names gets them."""
    with application() as app:
        site = Site(1, ("a.localhost",), at(app.server_port))
        server.proxy.apply(site)
        NginxProxy(replace(server.nginx.settings, proxy="haproxy")).restore([])
        (server.nginx.settings.state / "proxy-switching").touch()
        (server.nginx.settings.etc / "server.yml").write_text(f"proxy: {kind}\n")
        with pytest.raises(OSError, match="refused"):
            server.nginx.get("a.localhost")
        assert server.proxy.is_unsettled()
        server.switch(kind, site)
        assert not server.proxy.is_unsettled()
        assert status_of(server.nginx.get("a.localhost")) == 200


def test_all_sites_are_replaced_while_nobody_holds_the_proxy(server: Server) -> None:
    """They are asked for when the last who held it has recorded what he applied."""
    order, asked = [], threading.Event()

    def sites() -> list[Site]:
        order.append("sites")
        return [Site(1, ("a.localhost",), ())]

    def replace_all() -> None:
        asked.set()
        server.proxy.replace_all(sites, record=lambda: order.append("record"), former=list)

    thread = threading.Thread(target=replace_all)
    with server.proxy.held():
        thread.start()
        assert asked.wait(150)
        thread.join(0.2)
        order.append("applied")
    thread.join(200)
    assert order == ["applied", "sites", "record"]
    assert status_of(server.nginx.get("a.localhost")) == 503


def test_sites_that_cannot_be_recorded_are_not_served(server: Server) -> None:
    """The former ones are."""
    former = [Site(1, ("a.localhost",), ())]
    server.proxy.restore(former)

    def record() -> None:
        raise PaasError("server-yml", "It cannot be read.")

    with pytest.raises(PaasError, match="cannot be read"):
        server.proxy.replace_all(
            lambda: [Site(1, ("b.localhost",), ())], record=record, former=lambda: former
        )
    assert status_of(server.nginx.get("a.localhost")) == 503


def test_an_unknown_kind_is_named(server: Server) -> None:
    """Written into server.yml by hand."""
    (server.nginx.settings.etc / "server.yml").write_text("proxy: apache\n")
    with pytest.raises(PaasError) as caught:
        server.proxy.apply(Site(1, ("a.localhost",), ()))
    assert caught.value.reference == "proxy-kind"
