"""The files for Debian's own nginx.conf, read by nginx itself."""

import os
import resource
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from paas.adapters.proxy.nginx.process import NGINX
from paas.adapters.proxy.nginx.proxy import NginxProxy
from paas.domain.routing.sites import Site
from paas.domain.values.errors import PaasError
from paas.entrypoints.installer.nginx_connections import raised
from paas.settings import Settings
from tests.contract.proxy.nginx_server import read_all, status_of
from tests.endpoints import at
from tests.ports import free_port
from tests.waiting import wait_for

# Debian's, as far as it matters: what it includes and where.
NGINX_CONF = """
user www-data;
worker_processes auto;
pid {root}/nginx.pid;
error_log {root}/error.log;
include {root}/nginx/modules-enabled/*.conf;
events {{
    worker_connections 768;
}}
http {{
    types_hash_max_size 2048;
    include {root}/nginx/mime.types;
    access_log {root}/access.log;
    gzip on;
    {extra}
    include {root}/nginx/conf.d/*.conf;
    include {root}/nginx/sites-enabled/*;
}}
"""
SITE = Site(1, ("a.localhost",), at(20_001))


def system(root: Path, extra: str = "") -> Settings:
    """An /etc/nginx in root."""
    for name in ("modules-enabled", "conf.d", "sites-enabled"):
        (root / "nginx" / name).mkdir(parents=True)
    shutil.copy("/etc/nginx/mime.types", root / "nginx")
    conf = root / "nginx" / "nginx.conf"
    conf.write_text(NGINX_CONF.format(root=root, extra=extra))
    return Settings(
        state=root / "state",
        run=root / "run",
        http_port=free_port(),
        https_port=free_port(),
        nginx_conf=conf,
        nginx_http_conf=root / "nginx" / "conf.d" / "paas.conf",
        nginx_pid=root / "nginx.pid",
    )


@pytest.mark.parametrize("extra", ["", "server_names_hash_bucket_size 128;"])
def test_nginx_takes_the_files_beside_its_own(tmp_path: Path, extra: str) -> None:
    """Also where the machine sets a directive of ours itself."""
    settings = system(tmp_path, extra)
    proxy = NginxProxy(settings)
    proxy.restore([SITE])
    assert proxy.sites() == {1}
    assert proxy.refused() == set()
    assert set(proxy.shared_files()) == {
        tmp_path / "nginx/conf.d/paas.conf",
        tmp_path / "nginx/modules-enabled/90-paas.conf",
    }
    assert all(path.exists() for path in proxy.shared_files())


def test_a_machine_whose_nginx_is_broken_keeps_what_it_had(tmp_path: Path) -> None:
    """A second default_server on the port is named, and our files are not left behind."""
    settings = system(tmp_path)
    theirs = tmp_path / "nginx" / "sites-enabled" / "default"
    theirs.write_text(f"server {{ listen {settings.http_port} default_server; }}{os.linesep}")
    proxy = NginxProxy(settings)
    with pytest.raises(PaasError) as caught:
        proxy.restore([SITE])
    assert "a duplicate default server" in caught.value.message
    assert not any(path.exists() for path in proxy.shared_files())


@pytest.fixture
def open_root() -> Iterator[Path]:
    """A directory that nginx's workers can pass through."""
    root = Path(tempfile.mkdtemp(prefix="paas-system-"))
    root.chmod(0o755)
    yield root
    shutil.rmtree(root)


def test_2000_half_sent_headers_harm_nobody_else(open_root: Path) -> None:
    """With Debian's own number of connections two workers have room for 1,536."""
    settings = system(open_root)
    conf = settings.nginx_conf
    debian = conf.read_text().replace("worker_processes auto", "worker_processes 2")
    conf.write_text(raised(debian, settings.worker_connections))
    proxy = NginxProxy(settings)
    proxy.restore([Site(1, ("a.localhost",), ())])
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 8192)), hard))
    slow: list[socket.socket] = []
    child = subprocess.Popen([NGINX, "-g", "daemon off;", "-c", conf])
    try:
        wait_for(lambda: _answer(settings) == 503)
        for _ in range(2000):
            slow.append(socket.create_connection(("127.0.0.1", settings.http_port), 120))
            slow[-1].sendall(b"GET / HTTP/1.1\r\nHost: a.localhost\r\nX-A: ")
        for _ in range(10):
            assert _answer(settings) == 503
    finally:
        for connection in slow:
            connection.close()
        child.terminate()
        child.wait(150)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def _answer(settings: Settings) -> int:
    """The status for the site, or 0."""
    try:
        with socket.create_connection(("127.0.0.1", settings.http_port), 120) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: a.localhost\r\nConnection: close\r\n\r\n")
            return status_of(read_all(connection))
    except OSError:
        return 0
