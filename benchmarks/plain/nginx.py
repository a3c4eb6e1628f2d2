"""A hand-written Nginx configuration for one Gunicorn, with upstream keep-alive.

It sends the headers of Debian's own proxy_params.
"""

from pathlib import Path

from benchmarks.commands import Daemon, wait_until
from benchmarks.web import LOOPBACK, port_is_open
from tests.ports import free_ports

CONF = """\
user www-data;
worker_processes auto;
daemon off;
pid {room}/nginx.pid;
error_log {room}/nginx-error.log warn;
events {{
    worker_connections 4096;
}}
http {{
    include /etc/nginx/mime.types;
    default_type application/octet-stream;
    sendfile on;
    tcp_nopush on;
    access_log {room}/access.log combined buffer=32k flush=1s;
    client_body_temp_path {room}/nginx-tmp/body;
    proxy_temp_path {room}/nginx-tmp/proxy;
    fastcgi_temp_path {room}/nginx-tmp/fastcgi;
    uwsgi_temp_path {room}/nginx-tmp/uwsgi;
    scgi_temp_path {room}/nginx-tmp/scgi;

    upstream app {{
        server {app};
        keepalive 32;
    }}
    server {{
        listen {port};
        server_name plain.test;
        location / {{
            proxy_pass http://app;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            include /etc/nginx/proxy_params;
        }}
    }}
}}
"""


class PlainNginx:
    """Nginx in front of the app on a port. address: where it listens, if not on this machine."""

    def __init__(self, room: Path, app_port: int, address: str = LOOPBACK) -> None:
        self._room = room
        self._app = f"{address}:{app_port}"
        (self.port,) = free_ports(1)

    def start(self) -> Daemon:
        """Start it; the caller ends it."""
        (self._room / "nginx-tmp").mkdir(exist_ok=True)
        conf = self._room / "nginx.conf"
        conf.write_text(CONF.format(room=self._room, app=self._app, port=self.port))
        daemon = Daemon(["/usr/sbin/nginx", "-c", conf], self._room / "nginx.log")
        wait_until(lambda: port_is_open(self.port), 10, "a plain Nginx")
        return daemon
