"""The files for Debian's own nginx.conf, read by nginx itself."""

import os
import shutil
from pathlib import Path

import pytest

from paas.adapters.proxy_nginx import NginxProxy
from paas.domain.errors import PaasError
from paas.domain.sites import Site
from paas.settings import Settings
from tests.ports import free_port

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
SITE = Site(1, ("a.localhost",), (20_001,))


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
