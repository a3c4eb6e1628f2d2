"""HAProxy's own ways: instances exchanged at runtime, and what it refuses."""

import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from paas.adapters.certificates.files import CertificateDirectory
from paas.adapters.certificates.reader import X509Reader
from paas.adapters.proxy.haproxy.conf import main_file, sites_directory
from paas.adapters.proxy.haproxy.proxy import HaproxyProxy
from paas.adapters.proxy.haproxy.runtime_api import Worker
from paas.domain.routing.endpoints import Endpoint
from paas.domain.routing.sites import Certificate, Site
from paas.domain.values.errors import PaasError
from tests.authority import Authority
from tests.contract.proxy.haproxy_server import Haproxy
from tests.contract.proxy.nginx_server import WEBSOCKET, AppServer, application, status_of
from tests.endpoints import at
from tests.ports import free_port
from tests.waiting import wait_for

ELSEWHERE = "127.0.0.2"


def elsewhere() -> AppServer:
    """An app that listens at another address."""
    return AppServer(ELSEWHERE)


def present(haproxy: Haproxy) -> Worker:
    """The worker that accepts connections."""
    (pid,) = haproxy.master.workers().present
    return haproxy.master.worker(pid)


@pytest.mark.differs(
    "a deploy, restart or scaling",
    nginx="reload: new workers beside the old",
    haproxy="the instances are replaced in the running process, over its socket, without a reload",
)
def test_a_change_of_instances_is_no_reload(haproxy: Haproxy) -> None:
    """They are added and sent away in the running worker; drained ones are forgotten.

    Also those at other addresses, as containers are.
    """
    with application() as one, application() as two, application(elsewhere) as three:
        haproxy.proxy.apply(Site(1, ("a.localhost",), at(one.server_port)))
        workers = haproxy.workers()
        there = Endpoint(ELSEWHERE, three.server_port)
        haproxy.proxy.apply(Site(1, ("a.localhost",), (*at(two.server_port), there)))
        assert haproxy.workers() == workers
        assert haproxy.proxy.drain(60)
        names = {instance.name for instance in present(haproxy).instances()}
        assert names == {f"s{two.server_port}", f"s{ELSEWHERE}-{three.server_port}"}
        for _ in range(6):
            assert status_of(haproxy.get("a.localhost")) == 200
        assert one.count == 0
        assert two.count and three.count


def test_an_instance_comes_back_before_it_was_forgotten(haproxy: Haproxy) -> None:
    """A roll-out that is undone: nobody had waited for the drain."""
    with application() as one, application() as two:
        for app in (one, two, one):
            haproxy.proxy.apply(Site(1, ("a.localhost",), at(app.server_port)))
            assert status_of(haproxy.get("a.localhost")) == 200
        assert (one.count, two.count) == (2, 1)
        assert haproxy.proxy.drain(60)
        assert status_of(haproxy.get("a.localhost")) == 200


def test_a_drain_sends_nobody_away_who_came_meanwhile(haproxy: Haproxy) -> None:
    """One app's WebSocket is waited for while another app, and the same, get new instances."""
    with application() as one, application() as two, application() as three:
        site, other = Site(1, ("a.localhost",), at(one.server_port)), Site(2, ("b.localhost",), ())
        haproxy.proxy.apply(site)
        haproxy.proxy.apply(replace(other, endpoints=at(one.server_port)))
        with haproxy.connect() as websocket:
            websocket.sendall(WEBSOCKET)
            assert status_of(websocket.recv(4096)) == 101
            haproxy.proxy.apply(replace(site, endpoints=at(two.server_port)))
            with ThreadPoolExecutor() as pool:
                drained = pool.submit(haproxy.proxy.drain, 200)
                wait_for(lambda: present(haproxy).busy()[1] == 1)
                haproxy.proxy.apply(replace(site, endpoints=at(three.server_port)))
                haproxy.proxy.apply(replace(other, endpoints=at(two.server_port)))
                with pytest.raises(TimeoutError):
                    drained.result(0.5)
                assert status_of(haproxy.get("a.localhost")) == 200
                assert status_of(haproxy.get("b.localhost")) == 200
                websocket.close()
                assert drained.result()
        assert (one.count, two.count, three.count) == (0, 1, 1)


def test_a_former_worker_holds_up_those_alone_who_still_use_it(haproxy: Haproxy) -> None:
    """Another app's WebSocket is there; nobody is with the instance that goes. Then somebody is."""
    with application() as one, application() as two:
        site, other = Site(1, ("a.localhost",), at(one.server_port)), Site(2, ("b.localhost",), ())
        haproxy.proxy.apply(site)
        haproxy.proxy.apply(replace(other, endpoints=at(two.server_port)))
        with haproxy.connect() as websocket:
            websocket.sendall(WEBSOCKET)
            assert status_of(websocket.recv(4096)) == 101
            workers = haproxy.workers()
            moved = replace(other, hosts=("c.localhost",), endpoints=at(one.server_port))
            haproxy.proxy.apply(moved)
            assert haproxy.workers() != workers
            assert haproxy.proxy.drain(60)
            haproxy.proxy.apply(replace(site, endpoints=at(two.server_port)))
            assert not haproxy.proxy.drain(0.2)
        assert haproxy.proxy.drain(60)


def test_a_reload_comes_to_the_same(haproxy: Haproxy) -> None:
    """The files have what was changed at runtime."""
    with application() as one, application() as two:
        haproxy.proxy.apply(Site(1, ("a.localhost",), at(one.server_port)))
        haproxy.proxy.apply(Site(1, ("a.localhost",), at(two.server_port)))
        haproxy.proxy.apply(Site(2, ("b.localhost",), ()))
        assert haproxy.proxy.drain(60)
        assert status_of(haproxy.get("a.localhost")) == 200
        assert (one.count, two.count) == (0, 1)


def test_no_key_is_left_behind(haproxy: Haproxy) -> None:
    """Its copy of a certificate and its key goes with the site, and when it only stands by."""
    files = CertificateDirectory(haproxy.settings.state / "certs")
    copies = haproxy.settings.state / "haproxy/certs"

    def site(app_id: int) -> Site:
        name, id = f"app{app_id}.test", f"{app_id}-00000001"
        files.write(id, X509Reader().read(Authority().bundle(name), datetime.now(UTC)))
        paths = files.paths(id)
        assert paths
        return Site(app_id, (name,), (), certificates=(Certificate(*paths, (name,)),))

    first, second = site(1), site(2)
    haproxy.proxy.restore([first, second])
    assert len(list(copies.iterdir())) == 2
    haproxy.proxy.restore([second])
    assert [path.name.partition("-")[0] for path in copies.iterdir()] == ["2"]
    haproxy.proxy.apply(first)
    haproxy.proxy.remove(2)
    assert [path.name.partition("-")[0] for path in copies.iterdir()] == ["1"]
    haproxy.proxy.release_ports()
    assert list(copies.iterdir()) == []


def test_a_refusal_puts_the_former_files_back(haproxy: Haproxy) -> None:
    """Another app's file is broken: the change fails in HAProxy's words, and all apps stay up."""
    sites = sites_directory(haproxy.settings)
    with application() as app:
        haproxy.proxy.apply(Site(1, ("a.localhost",), at(app.server_port)))
        former = (sites / "1.cfg").read_bytes()
        (sites / "9.cfg").write_text("backend paas_9\n    nonsense on\n")
        for change in (Site(1, ("c.localhost",), ()), Site(3, ("d.localhost",), ())):
            with pytest.raises(PaasError) as caught:
                haproxy.proxy.apply(change)
            assert "unknown keyword 'nonsense'" in caught.value.message
        assert (sites / "1.cfg").read_bytes() == former
        assert not (sites / "3.cfg").exists()
        assert status_of(haproxy.get("a.localhost")) == 200
        haproxy.proxy.restore([Site(1, ("a.localhost",), at(app.server_port))])
        assert haproxy.proxy.sites() == {1}


def test_a_reload_that_fails_is_noticed(haproxy: Haproxy) -> None:
    """haproxy -c does not see that a port is taken; the former worker then keeps serving."""
    hasty = HaproxyProxy(haproxy.settings, reload_limit_s=5.0)
    haproxy.proxy.apply(Site(1, ("a.localhost",), ()))
    main, taken = main_file(haproxy.settings), free_port()
    former = main.read_text()
    with socket.create_server(("127.0.0.1", taken)):
        main.write_text(f"{former}\nfrontend extra\n    bind 127.0.0.1:{taken}\n")
        with pytest.raises(PaasError) as caught:
            hasty.apply(Site(2, ("c.localhost",), ()))
        assert caught.value.reference == "proxy-reload"
        assert status_of(haproxy.get("a.localhost")) == 503
        assert hasty.sites() == {1}
    main.write_text(former)
    haproxy.proxy.apply(Site(2, ("c.localhost",), ()))
    assert status_of(haproxy.get("c.localhost")) == 503


def test_one_that_does_not_listen_listens_again(haproxy: Haproxy) -> None:
    """Its files are as they should be, so nothing else would have it read them."""
    main = main_file(haproxy.settings)
    public = main.read_text()
    haproxy.proxy.release_ports()
    main.write_text(public)
    haproxy.proxy.restore([])
    with pytest.raises(OSError, match="refused"):
        haproxy.connect()
    haproxy.proxy.listen_again()
    haproxy.connect().close()


def test_a_killed_haproxy_starts_from_its_files(haproxy: Haproxy) -> None:
    """All that was applied is there."""
    with application() as app:
        haproxy.proxy.apply(Site(1, ("a.localhost",), at(app.server_port)))
        haproxy.kill()
        assert not haproxy.proxy.is_up()
        with pytest.raises(PaasError):
            haproxy.proxy.apply(Site(1, ("a.localhost",), ()))
        haproxy.start_haproxy()
        assert status_of(haproxy.get("a.localhost")) == 200
