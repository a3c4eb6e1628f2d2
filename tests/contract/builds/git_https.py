"""A git server by https on this machine, with a certificate of its own.

Repositories named private-... want a login. Below moved-PORT/ all is elsewhere, at that port.
"""

import base64
import http.server
import json
import os
import re
import ssl
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.ports import free_port

LOGIN = ("robot", "tok/en:1")
_BASIC = "Basic " + base64.b64encode(":".join(LOGIN).encode()).decode()


class _Handler(http.server.SimpleHTTPRequestHandler):
    """git http-backend (git-http-backend(1)) for .git paths, and files for the rest."""

    root: Path

    def do_GET(self) -> None:
        if not self._turned_away():
            self._backend(b"") if ".git/" in self.path else self._file()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if "/api/" in self.path:
            self._status(body)
            return
        if not self._turned_away():
            self._backend(body)

    def _status(self, body: bytes) -> None:
        """A commit status: it is written to the file ``statuses``, if its token is right."""
        login = self.headers.get("Authorization", "")
        is_right = login.partition(" ")[2] == LOGIN[1]
        if is_right:
            with (self.root / "statuses").open("a") as file:
                file.write(json.dumps([self.path, login, json.loads(body)]) + "\n")
        self.send_response(201 if is_right else 401)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _turned_away(self) -> bool:
        moved = re.search(r"/moved-(\d+)(/.*)", self.path)
        is_private = "/private-" in self.path or moved is not None
        if is_private and self.headers.get("Authorization") != _BASIC:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
        elif moved:
            self.send_response(302)
            self.send_header("Location", f"http://localhost:{moved[1]}{moved[2]}")
        else:
            return False
        self.send_header("Content-Length", "0")
        self.end_headers()
        return True

    def _file(self) -> None:
        content = (self.root / self.path.strip("/")).read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _backend(self, body: bytes) -> None:
        path, _, query = self.path.partition("?")
        env = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "safe.directory",
            "GIT_CONFIG_VALUE_0": "*",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        done = subprocess.run(
            ["git", "http-backend"], input=body, env=env, capture_output=True, check=False
        )
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if line)
        self.send_response(int(fields.pop("Status", "200").split()[0]))
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *words: object) -> None:
        pass


@contextmanager
def serving(root: Path) -> Iterator[tuple[str, Path]]:
    """Serve the repositories (NAME.git) and files below root; its address and certificate."""
    # Where builds see it: /tmp is their own.
    with tempfile.TemporaryDirectory(dir="/srv", prefix="paas-test-") as name:
        scratch = Path(name)
        scratch.chmod(0o755)
        with _serving(root, scratch) as found:
            yield found


@contextmanager
def _serving(root: Path, scratch: Path) -> Iterator[tuple[str, Path]]:
    certificate, key = scratch / "certificate.pem", scratch / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    handler = type("Handler", (_Handler,), {"root": root})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", free_port()), handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"https://localhost:{server.server_port}", certificate
    finally:
        server.shutdown()
        server.server_close()
