"""A hand-written Nginx configuration for files, over HTTP and over TLS, and for many names.

TLS is as in Mozilla's generator for this Nginx and OpenSSL, intermediate, guidelines 6.0.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.commands import Daemon, run, wait_until
from benchmarks.web import port_is_open
from tests.ports import free_ports

CONF = """\
user www-data;
worker_processes auto;
daemon off;
pid {room}/nginx.pid;
error_log {room}/nginx-error.log warn;
worker_rlimit_nofile 65536;
events {{
    worker_connections 4096;
}}
http {{
    include /etc/nginx/mime.types;
    default_type application/octet-stream;
    server_names_hash_max_size 16384;
    server_names_hash_bucket_size 512;
    sendfile on;
    tcp_nopush on;
    access_log {room}/access.log combined buffer=32k flush=1s;
    client_body_temp_path {room}/nginx-tmp/body;
    proxy_temp_path {room}/nginx-tmp/proxy;
    fastcgi_temp_path {room}/nginx-tmp/fastcgi;
    uwsgi_temp_path {room}/nginx-tmp/uwsgi;
    scgi_temp_path {room}/nginx-tmp/scgi;
    include {room}/sites/*.conf;
}}
"""
FILES = """\
server {{
    listen {http_port};
    server_name {name};
    root {root};
}}
server {{
    listen {https_port} ssl http2;
    server_name {name};
    root {root};
    ssl_certificate {chain};
    ssl_certificate_key {key};
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_ecdh_curve X25519:prime256v1:secp384r1;
    ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:\
ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:\
ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305;
    ssl_prefer_server_ciphers off;
    ssl_session_timeout 1d;
    ssl_session_cache shared:MozSSL:10m;
    ssl_session_tickets off;
}}
"""
PROXIED = """\
server {{
    listen {http_port};
    server_name {name};
    location / {{
        proxy_pass http://127.0.0.1:9;
        include /etc/nginx/proxy_params;
    }}
}}
"""
ANSWERS = "server {{ listen {http_port}; server_name {name}; return 200 here; }}\n"


@dataclass(frozen=True, slots=True)
class Certificate:
    """A chain and its key, as files."""

    chain: Path
    key: Path


def certificate(room: Path, names: Sequence[str]) -> Certificate:
    """A self-signed one for these names: EC P-256, as certbot makes them today."""
    made = Certificate(room / "chain.pem", room / "key.pem")
    argv: list[str | Path] = ["openssl", "req", "-x509", "-newkey", "ec", "-nodes", "-days", "30"]
    argv += ["-pkeyopt", "ec_paramgen_curve:P-256", "-subj", f"/CN={names[0]}"]
    argv += ["-addext", "subjectAltName=" + ",".join(f"DNS:{name}" for name in names)]
    run([*argv, "-keyout", made.key, "-out", made.chain])
    return made


class PlainSites:
    """Nginx with one file for each site, as in Debian's sites-enabled."""

    def __init__(self, room: Path) -> None:
        self._room = room
        self.http_port, self.https_port = free_ports(2)
        (room / "sites").mkdir()
        (room / "nginx-tmp").mkdir()

    def add_files(self, name: str, root: Path, pair: Certificate) -> None:
        """A site that serves a folder, over both ports."""
        self._write(name, FILES, root=root, chain=pair.chain, key=pair.key)

    def add_proxied(self, name: str) -> None:
        """A site in front of an app, which need not exist."""
        self._write(name, PROXIED)

    def add_answer(self, name: str) -> None:
        """A site that answers without an app."""
        self._write(name, ANSWERS)

    def start(self) -> Daemon:
        """Start it; the caller ends it."""
        conf = self._conf
        conf.write_text(CONF.format(room=self._room))
        daemon = Daemon(["/usr/sbin/nginx", "-c", conf], self._room / "nginx.log")
        wait_until(lambda: port_is_open(self.http_port), 60, "a plain Nginx")
        return daemon

    def test_and_reload(self) -> None:
        """The commands after a manual change."""
        run(["/usr/sbin/nginx", "-t", "-q", "-c", self._conf])
        run(["/usr/sbin/nginx", "-s", "reload", "-c", self._conf])

    @property
    def _conf(self) -> Path:
        return self._room / "nginx.conf"

    def _write(self, name: str, template: str, **values: object) -> None:
        ports = {"http_port": self.http_port, "https_port": self.https_port}
        text = template.format(name=name, **ports, **values)
        (self._room / f"sites/{name}.conf").write_text(text)
