"""A hand-written HAProxy configuration for one Gunicorn."""

from pathlib import Path

from benchmarks.commands import Daemon, wait_until
from benchmarks.web import port_is_open
from tests.ports import free_ports

# The same headers as in benchmarks/plain/nginx.py. It writes no log: on a machine without a syslog
# daemon nothing would receive it.
CONF = """\
global
    maxconn 4096
defaults
    mode http
    option forwardfor
    timeout connect 5s
    timeout client 60s
    timeout server 60s
frontend web
    bind :{port}
    default_backend app
backend app
    http-request set-header X-Real-IP %[src]
    http-request set-header X-Forwarded-Proto http
    server web 127.0.0.1:{app_port}
"""


class PlainHaproxy:
    """HAProxy in front of the app on a port."""

    def __init__(self, room: Path, app_port: int) -> None:
        self._room = room
        self._app_port = app_port
        (self.port,) = free_ports(1)

    def start(self) -> Daemon:
        """Start it; the caller ends it."""
        conf = self._room / "haproxy.cfg"
        conf.write_text(CONF.format(app_port=self._app_port, port=self.port))
        daemon = Daemon(["/usr/sbin/haproxy", "-db", "-f", conf], self._room / "haproxy.out")
        wait_until(lambda: port_is_open(self.port), 10, "a plain HAProxy")
        return daemon
