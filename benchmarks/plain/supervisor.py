"""A hand-written supervisord configuration for one Gunicorn: an update stops and starts it."""

import http.client
import socket
import xmlrpc.client
from pathlib import Path

from benchmarks.commands import Daemon, wait_until
from benchmarks.plain.app import USER, PlainApp
from benchmarks.server import Server

CONF = """\
[unix_http_server]
file={room}/supervisor.sock

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[supervisord]
nodaemon=true
user=root
logfile={room}/supervisord.log
pidfile={room}/supervisord.pid

[program:web]
command={command}
directory={tree}
environment={environment}
user={user}
redirect_stderr=true
stdout_logfile={room}/web.log
"""


class PlainSupervisor:
    """supervisord with the app as its only program, ``web``."""

    def __init__(self, server: Server, room: Path, app: PlainApp) -> None:
        self._python = server.python
        self._room = room
        self._app = app

    def start(self) -> Daemon:
        """Start it, and wait until the app answers; the caller ends it."""
        conf = self._room / "supervisord.conf"
        environment = ",".join(f'{k}="{v}"' for k, v in self._app.environment().items())
        conf.write_text(
            CONF.format(
                room=self._room,
                command=" ".join(self._app.command()),
                tree=self._app.tree,
                environment=environment,
                user=USER,
            )
        )
        argv: list[str | Path] = [self._python, "-I", "-m", "supervisor.supervisord", "-c", conf]
        daemon = Daemon(argv, self._room / "supervisord.out")
        wait_until((self._room / "supervisor.sock").exists, 10, "a plain supervisord")
        self._app.wait()
        return daemon

    def stop_then_start(self) -> None:
        """What ``supervisorctl stop web`` and ``supervisorctl start web`` do."""
        proxy = xmlrpc.client.ServerProxy(
            "http://localhost", transport=_Transport(self._room / "supervisor.sock")
        )
        proxy.supervisor.stopProcess("web")
        proxy.supervisor.startProcess("web")


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost")
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(str(self._path))


class _Transport(xmlrpc.client.Transport):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def make_connection(self, host: object) -> http.client.HTTPConnection:  # noqa: ARG002
        return _Connection(self._path)
