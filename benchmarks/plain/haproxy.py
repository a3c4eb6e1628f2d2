"""A hand-written HAProxy configuration for one app."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.commands import Daemon, wait_until
from benchmarks.web import port_is_open
from tests.ports import free_ports

# The same headers as in benchmarks/plain/nginx.py; and as that, it writes a log, to a socket as
# in Debian's own haproxy.cfg.
CONF = """\
global
    maxconn 4096
    log {log} local0
defaults
    mode http
    log global
    option httplog
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

    @contextmanager
    def start(self) -> Iterator[Daemon]:
        """Run it, and what reads its log, until the block ends."""
        conf, log = self._room / "haproxy.cfg", self._room / "log.sock"
        conf.write_text(CONF.format(app_port=self._app_port, port=self.port, log=log))
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as lines:
            lines.bind(str(log))
            reader = threading.Thread(target=_discard, args=(lines,), daemon=True)
            reader.start()
            argv: list[str | Path] = ["/usr/sbin/haproxy", "-db", "-f", conf]
            with Daemon(argv, self._room / "haproxy.out") as daemon:
                wait_until(lambda: port_is_open(self.port), 10, "a plain HAProxy")
                yield daemon
            lines.shutdown(socket.SHUT_RD)
            reader.join()


def _discard(lines: socket.socket) -> None:
    """Read what a log daemon would, without writing it anywhere."""
    while lines.recv(8192):
        pass
