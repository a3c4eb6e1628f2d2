"""A real HAProxy in a temporary directory, with nginx behind it and the log process beside it."""

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from paas.adapters.proxy.haproxy.conf import HAPROXY, haproxy_argv, master_socket, pid_file
from paas.adapters.proxy.haproxy.escaping import log_socket
from paas.adapters.proxy.haproxy.proxy import HaproxyProxy
from paas.adapters.proxy.haproxy.runtime_api import Master
from paas.adapters.proxy.tls import version_words
from paas.settings import Settings
from tests.contract.logs.log_server import LOGGER
from tests.contract.proxy.nginx_server import Nginx, embedded_settings, nginx_server
from tests.ports import free_port
from tests.waiting import wait_for

_TITLES = {b"etag": b"ETag", b"www-authenticate": b"WWW-Authenticate"}


class Haproxy(Nginx):
    """The three in the foreground, with the files that HaproxyProxy wrote."""

    has_pages_for_people_alone = False
    proxy: HaproxyProxy  # type: ignore[assignment]

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.proxy = HaproxyProxy(settings, reload_limit_s=100.0)
        self.master = Master(master_socket(settings), pid_file(settings))
        self._log: subprocess.Popen[bytes] | None = None
        self._haproxy: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start all, and wait until they listen."""
        self._log = subprocess.Popen(_log_argv(self.settings))
        wait_for(log_socket(self.settings).exists)
        nginx_part = replace(self.settings, http_port=self.settings.files_port)
        self.settings, settings = nginx_part, self.settings
        super().start()
        self.settings = settings
        self.start_haproxy()

    def start_haproxy(self) -> None:
        """Start HAProxy alone."""
        settings = self.settings
        with (settings.state / "logs" / "haproxy.log").open("ab") as log:
            self._haproxy = subprocess.Popen(haproxy_argv(settings), stdout=log, stderr=log)
        self.proxy.wait_until_up()

    def kill(self) -> None:
        """End HAProxy without a warning."""
        assert self._haproxy is not None
        self._haproxy.kill()
        self._haproxy.wait(150)
        self._haproxy = None

    def stop(self) -> None:
        """End them; no error where they do not run."""
        super().stop()
        for child in (self._haproxy, self._log):
            if child is not None:
                child.terminate()
                child.wait(150)
        self._haproxy = self._log = None

    def raw(self, request: bytes) -> bytes:
        """What HAProxy answers to these very bytes, up to the end of the connection."""
        return self.named(super().raw(request))

    def named(self, answer: bytes) -> bytes:
        """HAProxy writes the names of headers in lower case (RFC 9110, 5.1: it is all one)."""
        head, end, body = answer.partition(b"\r\n\r\n")
        first, *lines = head.split(b"\r\n")
        parts = (line.partition(b":") for line in lines)
        named = [_TITLES.get(name, name.title()) + colon + text for name, colon, text in parts]
        return b"\r\n".join([first, *named]) + end + body

    @property
    def pending(self) -> Path:
        """The mark that files may be newer than what is served."""
        return self.settings.state / "haproxy" / "reload-pending"

    def workers(self) -> set[str]:
        """The pids of its present workers."""
        return {str(pid) for pid in self.master.workers().present}


def haproxy_version() -> tuple[int, int]:
    """The first two numbers of the version that is installed."""
    found = re.search(r"version (\d+)\.(\d+)", version_words(HAPROXY, "-v"))
    assert found is not None
    return int(found[1]), int(found[2])


def _log_argv(settings: Settings) -> list[str]:
    options = {
        "run": settings.run,
        "logs": settings.state / "logs",
        "file-bytes": 1_000_000,
        "files": 3,
        "file-s": 0,
        "nginx-pid": settings.nginx_pid,
        "router": log_socket(settings),
    }
    words = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
    return [sys.executable, "-I", "-S", str(LOGGER), *words]


@contextmanager
def haproxy_server(**changes: Any) -> Iterator[Haproxy]:
    """A running HAProxy without sites. changes: of settings."""
    root = Path(tempfile.mkdtemp(prefix="paas-haproxy-"))
    try:
        root.chmod(0o755)
        files_port = free_port()
        settings = replace(
            embedded_settings(root), proxy="haproxy", ports=(files_port - 1, files_port), **changes
        )
        for directory in (settings.etc, settings.state, settings.run):
            directory.mkdir(mode=0o711)
        haproxy = Haproxy(settings)
        haproxy.proxy.restore([])
        try:
            haproxy.start()
            yield haproxy
        finally:
            haproxy.stop()
    finally:
        shutil.rmtree(root)


SERVERS: dict[str, Callable[..., AbstractContextManager[Nginx]]] = {
    "nginx": nginx_server,
    "haproxy": haproxy_server,
}
