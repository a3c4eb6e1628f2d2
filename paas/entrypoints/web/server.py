"""``python -m paas.entrypoints.web.server --etc ETC``: Gunicorn with the web application.

It starts as root, listens, and gives up all rights before it reads anything from outside: its uid
owns nothing, and it has no network but the two Unix sockets, its own and the gate's.
"""

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from wsgiref.types import WSGIApplication

from gunicorn.app.base import BaseApplication

from paas.adapters.proxy.account import proxy_account
from paas.domain.values.errors import PaasError
from paas.entrypoints.daemons.listening import BACKLOG, NEW_NETWORK, listen
from paas.entrypoints.daemons.supervised import become_nobody, log, named_etc
from paas.entrypoints.launcher.kernel import Kernel
from paas.entrypoints.web import gate
from paas.entrypoints.web.app import make_app
from paas.entrypoints.web.dashboard.app import Place
from paas.entrypoints.web.git import GitHttp
from paas.entrypoints.web.heroku.platform import Platform
from paas.entrypoints.web.hooks import Hooks
from paas.settings import Settings, load

# Each waits for one request, a push for as long as its build takes.
THREADS = 64
_CONNECTIONS = 512
_STOP_LIMIT_S = 5
_HEADER_BYTES = 16_384
_FIRST_SOCKET = 3


class WebServer(BaseApplication):  # type: ignore[misc]
    """Gunicorn with the application. bind: where; None if a socket was given to it."""

    def __init__(self, make: Callable[[], WSGIApplication], bind: str | None = None) -> None:
        self._make = make
        self._bind = bind
        super().__init__()

    def load_config(self) -> None:
        """One worker with threads: a request mostly waits, and a stream may take an hour."""
        values: dict[str, object] = {
            "bind": self._bind or [],
            # The present ones: Gunicorn's defaults are those of when it was imported.
            "user": str(os.geteuid()),
            "group": str(os.getegid()),
            "backlog": BACKLOG,
            "worker_class": "gthread",
            "workers": 1,
            "threads": THREADS,
            "worker_connections": _CONNECTIONS,
            "keepalive": 2,
            "graceful_timeout": _STOP_LIMIT_S,
            "limit_request_field_size": _HEADER_BYTES,
            # Whose client it is, only the proxy says, in X-Real-IP.
            "forwarded_allow_ips": "",
            "forwarder_headers": "",
            "control_socket_disable": True,
            "accesslog": None,
            "errorlog": "-",
            "proc_name": "paas-web",
        }
        for name, value in values.items():
            self.cfg.set(name, value)

    def load(self) -> WSGIApplication:
        """The application."""
        return self._make()


def serve(settings: Settings) -> None:
    """Listen, give up all rights, and serve until SIGTERM."""
    paths = settings.paths
    paths.web_socket.unlink(missing_ok=True)
    listener = listen(paths.web_socket, proxy_account(settings).pw_gid)
    # As systemd hands a socket over (sd_listen_fds(3)): Gunicorn then leaves its file alone.
    os.dup2(listener.fileno(), _FIRST_SOCKET)
    os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1"}
    with suppress(OSError):  # where the machine gives root no right to it
        Kernel().unshare(NEW_NETWORK)
    become_nobody(settings.web_uid)
    git = GitHttp(paths.web_gate_socket, settings.max_push_mib * 1024**2)
    git_base = settings.web_url(settings.git_host)
    operate = partial(gate.operate, paths.web_gate_socket)
    platform = Platform(
        operate,
        partial(gate.store, paths.web_gate_socket),
        settings.domain,
        git_base,
        git.places,
        git.guesses,
        streams_base=settings.web_url(settings.api_host),
        rendezvous=f"{settings.api_host}:{settings.rendezvous_port}",
    )
    hooks = Hooks(paths.web_gate_socket)
    host = settings.dashboard_host
    dashboard = Place(host, secure=settings.web_url(host).startswith("https:"))
    WebServer(lambda: make_app(git, platform, settings.git_host, hooks, dashboard)).run()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the process of the server whose settings are in ETC/server.yml."""
    try:
        serve(load(named_etc(argv) / "server.yml"))
    except PaasError as error:
        log(error.report)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
