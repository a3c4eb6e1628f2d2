"""nginx's own ways while its files change: what it refuses, and what it does with its workers."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from paas.adapters.proxy.nginx.process import NginxProcess
from paas.adapters.proxy.nginx.proxy import FEW, NginxProxy
from paas.adapters.proxy.nginx.site_conf import render_site
from paas.adapters.proxy.nginx.tls import installed_tls
from paas.domain.routing.sites import Certificate, Site
from paas.domain.values.errors import PaasError
from tests.contract.proxy.nginx_server import Nginx, application, nginx_server, status_of
from tests.endpoints import at
from tests.ports import free_port
from tests.processes import below
from tests.waiting import wait_for

# Longer than a test may take, so one fails if it waits for a reload that nginx has given up.
LONG_S = 3_600.0


@pytest.fixture(scope="module")
def server() -> Iterator[Nginx]:
    with nginx_server() as nginx:
        yield nginx


@pytest.fixture
def nginx(server: Nginx) -> Nginx:
    server.proxy.restore([])
    server.proxy.drain(60)
    return server


def test_workers_do_not_pile_up_over_quick_changes(nginx: Nginx) -> None:
    """Former workers are sent away before nginx would do it, and none is started in their place."""
    process = NginxProcess(nginx.settings.nginx_conf, nginx.settings.nginx_pid, 10)
    before = len(_serving(process.running()))
    for port in range(21001, 21011):
        nginx.proxy.apply(Site(1, ("a.localhost",), at(port)))
    wait_for(lambda: len(_serving(process.running())) == before)


def _serving(master: int) -> list[str]:
    titles = map(" ".join, below(master).values())
    return [title for title in titles if "worker process" in title]


def test_a_refusal_puts_the_former_file_back(nginx: Nginx) -> None:
    """Another app's file is broken: the change fails in nginx's words, and all apps stay up."""
    sites = nginx.settings.state / "nginx" / "sites"
    with application() as app:
        site = Site(1, ("a.localhost",), at(app.server_port))
        nginx.proxy.apply(site)
        former = (sites / "1.conf").read_bytes()
        (sites / "2.conf").write_text("server { nonsense on; }\n")
        for change in (Site(1, ("c.localhost",), ()), Site(3, ("d.localhost",), ())):
            with pytest.raises(PaasError) as caught:
                nginx.proxy.apply(change)
            assert 'unknown directive "nonsense"' in caught.value.message
            assert "2.conf:1" in caught.value.message
        # Of a change of ports nginx is not asked first: it says so at the reload, and at once.
        hasty = NginxProxy(nginx.settings, reload_limit_s=LONG_S)
        with pytest.raises(PaasError) as caught:
            hasty.apply(Site(1, ("a.localhost",), at(21_001)))
        assert 'unknown directive "nonsense"' in caught.value.message
        assert "of id 2, are damaged" in caught.value.message
        assert (sites / "1.conf").read_bytes() == former
        assert not (sites / "3.conf").exists()
        assert status_of(nginx.get("a.localhost")) == 200


@pytest.fixture
def crowded(nginx: Nginx) -> Nginx:
    """With so many sites that a changed one is tested without the others."""
    nginx.proxy.restore([_other(app_id) for app_id in range(2, FEW + 4)])
    nginx.proxy.drain(60)
    return nginx


def _other(app_id: int) -> Site:
    return Site(app_id, (f"other-{app_id}.localhost",), ())


def test_one_site_of_many_is_tested_alone(crowded: Nginx) -> None:
    """What nginx refuses in it never takes the place of the former file."""
    sites = crowded.settings.state / "nginx" / "sites"
    with application() as app:
        site = Site(1, ("a.localhost",), at(app.server_port))
        crowded.proxy.apply(site)
        assert status_of(crowded.get("a.localhost")) == 200
        former = (sites / "1.conf").read_bytes()
        workers = crowded.workers()
        nowhere = Path("/nowhere")
        missing = Certificate(nowhere / "chain.pem", nowhere / "key.pem", ("a.localhost",))
        with pytest.raises(PaasError) as caught:
            crowded.proxy.apply(replace(site, certificates=(missing,)))
        assert caught.value.reference == "proxy-refused"
        assert '"/nowhere/chain.pem"' in caught.value.message
        assert (sites / "1.conf").read_bytes() == former
        assert crowded.workers() <= workers  # none is new
        assert not crowded.pending.exists()


def test_the_file_of_another_of_many_is_refused_at_the_reload(crowded: Nginx) -> None:
    """The change is undone, in nginx's words, with the app that they are about."""
    sites = crowded.settings.state / "nginx" / "sites"
    hasty = NginxProxy(crowded.settings, reload_limit_s=LONG_S)
    with application() as app:
        site = Site(1, ("a.localhost",), at(app.server_port))
        hasty.apply(site)
        former = (sites / "1.conf").read_bytes()
        (sites / "2.conf").write_text("server { nonsense on; }\n")
        for change in (replace(site, hosts=("c.localhost",)), Site(99, ("d.localhost",), ())):
            with pytest.raises(PaasError) as caught:
                hasty.apply(change)
            assert 'unknown directive "nonsense"' in caught.value.message
            assert "of id 2, are damaged" in caught.value.message
        assert (sites / "1.conf").read_bytes() == former
        assert not (sites / "99.conf").exists()
        assert status_of(crowded.get("a.localhost")) == 200


def test_a_host_that_one_of_many_has_is_refused(crowded: Nginx) -> None:
    """That of another app, which nginx says at the reload; it is undone before the answer."""
    with application() as app:
        site = Site(1, ("a.localhost",), at(app.server_port))
        crowded.proxy.apply(site)
        for change in (
            replace(site, hosts=("a.localhost", "other-5.localhost")),
            Site(99, ("other-5.localhost",), ()),
        ):
            with pytest.raises(PaasError) as caught:
                crowded.proxy.apply(change)
            assert caught.value.reference == "site-host-taken"
            assert not crowded.pending.exists()
        assert 99 not in crowded.proxy.sites()
        assert crowded.proxy.serves(site)
        assert status_of(crowded.get("other-5.localhost")) == 503
        assert status_of(crowded.get("a.localhost")) == 200


def test_a_host_of_the_machines_own_sites_is_refused_among_many(crowded: Nginx) -> None:
    """The test of one site reads all other files of the machine; nothing is reloaded."""
    former = crowded.settings.nginx_http_conf.read_text()
    own = f"server {{ listen {crowded.settings.http_port}; server_name own.localhost; }}\n"
    workers = crowded.workers()
    crowded.settings.nginx_http_conf.write_text(own + former)
    try:
        with pytest.raises(PaasError) as caught:
            crowded.proxy.apply(Site(1, ("own.localhost",), ()))
        assert caught.value.reference == "site-host-taken"
        assert 1 not in crowded.proxy.sites()
        assert crowded.workers() <= workers  # none is new
    finally:
        crowded.settings.nginx_http_conf.write_text(former)


def test_restore_sets_aside_what_nginx_refuses(nginx: Nginx) -> None:
    """One app's file that nginx refuses does not keep the others from being served."""
    wrong = Site(2, ("b.localhost",), at(1))
    # A directory where its log should be is the one thing that makes a rendered file fail.
    log = nginx.settings.state / "logs" / "2" / "router.log"
    with application() as app:
        log.unlink(missing_ok=True)
        log.mkdir(parents=True)
        try:
            nginx.proxy.restore([Site(1, ("a.localhost",), at(app.server_port)), wrong])
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
    hasty = NginxProxy(nginx.settings, reload_limit_s=LONG_S)
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
        assert f"bind() to 127.0.0.1:{taken} failed" in caught.value.message
        assert status_of(nginx.get("a.localhost")) == 503
        # It tries to bind five times before it gives up.
        wait_for(lambda: "still could not bind" in error_log.read_text())
    nginx.settings.nginx_http_conf.write_text(former)
    site_file = nginx.settings.state / "nginx" / "sites" / "1.conf"
    site = Site(1, ("a.localhost",), ())
    expected = render_site(site, nginx.settings, ipv6=True, tls=installed_tls())
    assert site_file.read_text() == expected


NEWER = """#!/bin/sh
[ "$1" = -V ] && echo "nginx version: nginx/1.28.0" >&2
exit 0
"""
# Writes the files of one site, in place of which nginx is another program, and prints one of them.
RENDER = """
import sys
from pathlib import Path
from paas.adapters.proxy.nginx.proxy import NginxProxy
from paas.domain.routing.endpoints import on_loopback
from paas.domain.routing.sites import Certificate, Site
from paas.settings import Settings
root = Path(sys.argv[1])
settings = Settings(
    state=root, run=root, etc=root, embedded=True, https_port=0,
    nginx_conf=root / "nginx.conf", nginx_http_conf=root / "paas.conf", nginx_pid=root / "pid",
)
NginxProxy(settings).restore([Site(1, ("a.localhost",), (on_loopback(21001),))])
print((root / "nginx/sites/1.conf").read_text())
"""


def test_without_https_a_newer_nginx_keeps_connections_open_as_well(tmp_path: Path) -> None:
    """An embedded server has no HTTPS as a rule. A newer nginx is one that says so, here."""
    newer, root = tmp_path / "nginx", tmp_path / "root"
    root.mkdir()
    newer.write_text(NEWER)
    newer.chmod(0o755)
    mount = 'mount --bind "$0" /usr/sbin/nginx && exec "$@"'
    argv = ["unshare", "--mount", "sh", "-c", mount, str(newer)]
    done = subprocess.run(
        [*argv, sys.executable, "-c", RENDER, str(root)], check=True, capture_output=True, text=True
    )
    assert "keepalive_min_timeout 10s;" in done.stdout
