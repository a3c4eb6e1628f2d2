"""A real nginx in a temporary directory, as of an embedded server, and applications behind it."""

import base64
import hashlib
import http.server
import json
import pwd
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil

from paas.adapters.proxy.nginx.proxy import NginxProxy
from paas.settings import Settings
from tests.ports import free_port

# RFC 6455, 1.3.
WEBSOCKET_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
WEBSOCKET = (
    b"GET /ws HTTP/1.1\r\nHost: a.localhost\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


def embedded_settings(root: Path) -> Settings:
    """The settings of an embedded server in root."""
    return Settings(
        etc=root / "etc",
        state=root / "var",
        run=root / "run",
        opt=root / "opt",
        embedded=True,
        http_port=free_port(),
        https_port=free_port(),
        nginx_conf=root / "etc" / "nginx.conf",
        nginx_http_conf=root / "etc" / "paas.conf",
        nginx_pid=root / "run" / "nginx.pid",
        worker_limit_s=8.0,
    )


class Nginx:
    """nginx in the foreground, with the files that NginxProxy wrote."""

    # Whether programs that ask for JSON get it where the app has a page of its own, too.
    has_pages_for_people_alone = True

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.proxy = NginxProxy(settings)
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it listens."""
        self._child = subprocess.Popen(["/usr/sbin/nginx", "-c", str(self.settings.nginx_conf)])
        deadline = time.monotonic() + 150
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.settings.http_port), 10).close()
                if Nginx.workers(self):  # it listens before it is known as the master
                    return
            except OSError:
                pass
            time.sleep(0.01)
        raise AssertionError("nginx did not start")

    def stop(self) -> None:
        """End it; no error where it does not run."""
        if self._child is not None:
            self._child.terminate()
            self._child.wait(150)
            self._child = None

    @property
    def pending(self) -> Path:
        """The mark that files may be newer than what is served."""
        return self.settings.state / "nginx" / "reload-pending"

    def proxy_uids(self) -> set[int]:
        """The account that all proxies of a server run as."""
        return {pwd.getpwnam(self.settings.proxy_user).pw_uid}

    def workers(self) -> set[str]:
        """The pids of its present workers."""
        assert self._child is not None
        pid = self._child.pid
        return set(Path(f"/proc/{pid}/task/{pid}/children").read_text().split())

    def accepted(self, connection: socket.socket) -> bool:
        """Whether a worker has taken a client's connection out of the queue."""
        port = connection.getsockname()[1]
        ends = (c for c in psutil.net_connections("tcp") if c.raddr and c.raddr[1] == port)
        return any(end.pid is not None for end in ends)

    def connect(self) -> socket.socket:
        """A client's connection."""
        return socket.create_connection(("127.0.0.1", self.settings.http_port), 120)

    def raw(self, request: bytes) -> bytes:
        """What nginx answers to these very bytes, up to the end of the connection."""
        with self.connect() as connection:
            connection.sendall(request)
            return read_all(connection)

    def get(self, host: str, path: str = "/", *headers: str) -> bytes:
        """The whole answer to a GET on a connection of its own."""
        lines = [f"GET {path} HTTP/1.1", f"Host: {host}", "Connection: close", *headers, "", ""]
        return self.raw("\r\n".join(lines).encode())

    def named(self, answer: bytes) -> bytes:
        """An answer with the names of its headers as nginx writes them."""
        return answer

    def seen(self, host: str, *headers: str) -> dict[str, str]:
        """The headers that the application got, by lower-case name, joined where repeated."""
        body: dict[str, dict[str, str]] = json.loads(body_of(self.get(host, "/", *headers)))
        return body["headers"]


def read_all(connection: socket.socket) -> bytes:
    """Everything up to the end of the connection.

    That may be a reset: the server closes with some of a long request unread.
    """
    parts = []
    try:
        while part := connection.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


def read_answer(connection: socket.socket) -> bytes:
    """One answer: it says how long it is, or has no body. It may come in pieces."""
    answer = b""
    while b"\r\n\r\n" not in answer and (part := connection.recv(65536)):
        answer += part
    head = answer.partition(b"\r\n\r\n")[0]
    length = re.search(rb"\r\ncontent-length: *([0-9]+)", head, re.IGNORECASE)
    whole = len(head) + 4 + (int(length[1]) if length else 0)
    while len(answer) < whole and (part := connection.recv(65536)):
        answer += part
    return answer


def status_of(answer: bytes) -> int:
    """The status of a raw answer; 0 where there is none."""
    return int(answer.split(b" ", 2)[1]) if answer else 0


def body_of(answer: bytes) -> bytes:
    """The body of a raw answer that is not chunked."""
    return answer.partition(b"\r\n\r\n")[2]


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "AppServer"

    def do_GET(self) -> None:
        if self.headers.get("Upgrade"):
            self._echo()
            return
        if self.path == "/slow":
            self.server.slow += 1
            self.server.slow_started.set()
            self.server.slow_may_end.wait(250)
        body = self._body()
        self.server.count += 1
        self.server.paths.append(self.path)
        headers: dict[str, str] = {}
        for name, value in self.headers.items():
            key = name.lower()
            headers[key] = f"{headers[key]}, {value}" if key in headers else value
        answer = {"port": self.server.server_port, "headers": headers, "bytes": len(body)}
        data = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        if self.path == "/json":
            self.send_header("Content-Type", "application/json")
        if self.path == "/accel":
            self.send_header("X-Accel-Redirect", "/elsewhere")
        self.end_headers()
        self.wfile.write(data)

    def do_POST(self) -> None:
        self.do_GET()

    def _body(self) -> bytes:
        if "Transfer-Encoding" not in self.headers:
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _echo(self) -> None:
        self.send_response(101)
        self.send_header("Upgrade", self.headers["Upgrade"])
        self.send_header("Connection", "Upgrade")
        if key := self.headers.get("Sec-WebSocket-Key"):
            accept = hashlib.sha1((key + WEBSOCKET_GUID).encode(), usedforsecurity=False).digest()
            self.send_header("Sec-WebSocket-Accept", base64.b64encode(accept).decode())
        self.end_headers()
        while data := self.connection.recv(4096):
            self.connection.sendall(data)
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        pass


class AppServer(http.server.ThreadingHTTPServer):
    """What the proxy sends requests to."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, host: str = "127.0.0.1") -> None:
        super().__init__((host, 0), _Handler)
        self.count = self.slow = 0
        self.paths: list[str] = []
        self.slow_started = threading.Event()
        self.slow_may_end = threading.Event()
        self._connections: set[socket.socket] = set()

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Remember the connection while it is open."""
        self._connections.add(request)
        super().process_request_thread(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget it."""
        self._connections.discard(request)
        super().shutdown_request(request)

    def has_answered(self, count: int) -> bool:
        """Whether it has, so many requests."""
        return self.count >= count

    def disconnect(self) -> None:
        """End the connections that clients keep open."""
        for connection in list(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that go away in the middle are a part of the tests."""


@contextmanager
def application(make: Callable[[], AppServer] = AppServer) -> Iterator[AppServer]:
    """An HTTP server that tells what it got; /slow answers once slow_may_end is set."""
    with make() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.slow_may_end.set()
            server.shutdown()
            thread.join()


@contextmanager
def nginx_server(**changes: Any) -> Iterator[Nginx]:
    """A running nginx without sites, in a directory that its workers can pass through.

    changes: of settings.
    """
    root = Path(tempfile.mkdtemp(prefix="paas-nginx-"))
    try:
        root.chmod(0o755)
        settings = replace(embedded_settings(root), **changes)
        for directory in (settings.etc, settings.state, settings.run):
            directory.mkdir(mode=0o711)
        nginx = Nginx(settings)
        nginx.proxy.restore([])
        nginx.start()
        try:
            yield nginx
        finally:
            nginx.stop()
    finally:
        shutil.rmtree(root)
