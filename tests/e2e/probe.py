"""A small app that does what a test tells it, from inside: the tests' hands in the sandbox."""

import json
import re
from collections.abc import Sequence
from typing import Any

from tests.e2e.server import Repository, Server, User
from tests.waiting import wait_for

SOURCE = '''\
import base64, hashlib, http.server, os, subprocess, sys

BOOT = os.urandom(8).hex()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/ws":
            self.websocket()
        elif self.path == "/headers":
            self.answer(str(self.headers).encode())
        else:
            self.answer(BOOT.encode())

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path in ("/out", "/err"):
            fd = 1 if self.path == "/out" else 2
            left = memoryview(body)
            while left:
                left = left[os.write(fd, left):]
            self.answer(b"")
        else:
            argv = {"/shell": ["bash", "-s"], "/python": [sys.executable, "-"]}[self.path]
            done = subprocess.run(argv, input=body, stdout=-1, stderr=-2)
            self.answer(done.stdout, done.returncode)

    def answer(self, body, status=0):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Exit-Status", str(status))
        self.end_headers()
        self.wfile.write(body)

    def websocket(self):
        """Answer the handshake (RFC 6455, 4.2.2) and send each short text back in capitals."""
        key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
        self.send_header("Sec-WebSocket-Accept", accept)
        self.end_headers()
        self.close_connection = True
        while head := self.rfile.read(2):
            mask, data = self.rfile.read(4), self.rfile.read(head[1] & 127)
            text = bytes(byte ^ mask[i % 4] for i, byte in enumerate(data)).upper()
            self.wfile.write(bytes([head[0], len(text)]) + text)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128


Server(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
'''
FILES: dict[str, str | bytes] = {
    "probe.py": SOURCE,
    "requirements.txt": "",
    "Procfile": "web: exec python -u probe.py\n",
}


class App:
    """An app on a server, and what its owner can see of it."""

    def __init__(self, server: Server, name: str) -> None:
        self.server = server
        self.name = name

    def shell(self, script: str, *, timeout_s: float = 90) -> str:
        """Run a script of bash in a probe, as a child of its web process; its whole output."""
        return self.post("/shell", script, timeout_s=timeout_s)

    def python(self, program: str, *, timeout_s: float = 90) -> str:
        """Run a Python program in a probe; its whole output."""
        return self.post("/python", program, timeout_s=timeout_s)

    def post(self, path: str, body: str | bytes, *, timeout_s: float = 90) -> str:
        """POST to the app; the answer must be 200."""
        data = body.encode() if isinstance(body, str) else body
        answer = self.server.get(self.name, path, method="POST", body=data, timeout_s=timeout_s)
        assert answer.status == 200, answer
        return answer.text

    def boot(self) -> str:
        """What tells one start of a probe from the next; empty while it is down."""
        answer = self.server.get(self.name)
        return answer.text if answer.status == 200 else ""

    def ps(self) -> list[dict[str, Any]]:
        """The instances, as ``paas ps --json`` tells."""
        found: list[dict[str, Any]] = json.loads(self.paas("ps", "--json"))
        return found

    def port(self) -> int:
        """The port of web.1."""
        return int(self.ps()[0]["port"])

    def paas(self, *words: str, timeout_s: float = 180) -> str:
        """A command about this app, as root; its stdout."""
        return self.server.paas(*words, "--app", self.name, timeout_s=timeout_s).stdout

    def log(self, count: int = 1_000) -> list[str]:
        """The last lines of the log."""
        return self.paas("logs", "-n", str(count)).splitlines()

    def await_log(self, pattern: str, *, limit_s: float = 150, count: int = 1_000) -> re.Match[str]:
        """The last line of the log that the pattern is found in, once there is one."""
        found: list[re.Match[str]] = []

        def there() -> bool:
            lines = reversed(self.log(count))
            found[:] = [hit for line in lines if (hit := re.search(pattern, line))][:1]
            return bool(found)

        wait_for(there, limit_s=limit_s, what=f"a line with {pattern!r} in the log of {self.name}")
        return found[0]


def push(
    user: User,
    name: str,
    files: dict[str, str | bytes],
    *,
    without: Sequence[str] = (),
) -> App:
    """Deploy a probe with these files added or replaced, as an app of the user."""
    chosen = {path: text for path, text in {**FILES, **files}.items() if path not in without}
    repository = Repository.of(user.server.scratch / f"{name}.work", chosen)
    user.push(repository, name)
    return App(user.server, name)
