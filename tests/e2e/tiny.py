"""Apps without dependencies for the tests, and what they look at."""

import contextlib
import json
import socket
import sqlite3
import subprocess
from collections.abc import Iterator

from tests.e2e.server import DOMAIN, Server, run

# Answers every path with TEXT, /env with its environment (each byte kept), and logs nothing. Who
# asks for an upgrade gets an echo of what he sends.
PROGRAM = """
import http.server, json, os

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if "Upgrade" in self.headers:
            return self.echo()
        body = b"%(text)s"
        if self.path == "/env":
            body = json.dumps(dict(os.environ)).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def echo(self):
        self.send_response(101)
        self.send_header("Connection", "upgrade")
        self.send_header("Upgrade", "websocket")
        self.end_headers()
        while data := self.connection.recv(1000):
            self.connection.sendall(data)
        self.close_connection = True

    def log_message(self, *words):
        pass

http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""
PROCFILE = "web: exec python serve.py\n"
LIMIT_S = 150.0
Files = dict[str, str | bytes]


def tiny(text: str = "v1", **more: str | bytes) -> Files:
    """The files of an app that answers text; more: other files, ``Procfile=...`` among them."""
    return {"requirements.txt": "", "Procfile": PROCFILE, "serve.py": program(text), **more}


def program(text: str) -> str:
    """serve.py of an app that answers text."""
    return PROGRAM % {"text": text}


def environment(server: Server, app: str) -> dict[str, str]:
    """What the app's process finds in its environment."""
    found: dict[str, str] = json.loads(server.get(app, "/env").text)
    return found


@contextlib.contextmanager
def upgraded(server: Server, app: str) -> Iterator[socket.socket]:
    """A connection to an app that continues as a WebSocket does, and echoes."""
    with socket.create_connection(("127.0.0.1", server.http_port), LIMIT_S) as connection:
        lines = ["GET /echo HTTP/1.1", f"Host: {app}.{DOMAIN}", "Upgrade: websocket", "", ""]
        connection.sendall("\r\n".join(lines).encode())
        assert b" 101 " in connection.recv(4096)
        yield connection


def releases(server: Server, app: str) -> list[tuple[int, str, bool]]:
    """Version, status and whether it is current, newest first."""
    rows = json.loads(server.paas("releases", "-a", app, "--json").stdout)
    return [(row["version"], row["status"], row["current"]) for row in rows]


def live_commit(server: Server, app: str) -> str:
    """The beginning of the commit that is live, as the release's description names it."""
    rows = json.loads(server.paas("releases", "-a", app, "--json").stdout)
    (current,) = [row for row in rows if row["current"]]
    return str(current["description"]).removeprefix("Deploy ").partition(":")[0]


def refs(server: Server, app: str) -> dict[str, str]:
    """The refs of the app's repository on the server."""
    path = server.state / "git" / f"{app_id(server, app)}.git"
    git = ["git", "-c", "safe.directory=*", "--git-dir", str(path)]
    listed = run([*git, "for-each-ref", "--format=%(refname) %(objectname)"]).stdout
    return dict(_pair(line) for line in listed.splitlines())


def _pair(line: str) -> tuple[str, str]:
    name, _, commit = line.rpartition(" ")
    return name, commit


def app_id(server: Server, app: str) -> int:
    """The number of an app, which names its files."""
    with contextlib.closing(sqlite3.connect(server.state / "state.db")) as database:
        (found,) = database.execute("SELECT id FROM apps WHERE name = ?", (app,)).fetchone()
        return int(found)


def leftovers(server: Server, app: str) -> list[str]:
    """Builds, slugs, launch specs and pipes of an app beyond its live release."""
    number = app_id(server, app)
    current = next((v for v, _, is_current in releases(server, app) if is_current), None)
    found = [path.name for path in (server.state / "builds").glob(f"{number}-*")]
    found += [str(path) for path in (server.run / "builds").glob(str(number))]
    for folder in (server.run / "specs", server.state / "supervisor"):
        names = [path.name for path in folder.glob(f"{number}-*")]
        found += [name for name in names if not name.startswith(f"{number}-v{current}-")]
    return found


class Pause:
    """A point at which an app's build or start waits for the test: a connection to it."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(LIMIT_S)
        self._waiting: socket.socket | None = None

    @property
    def shell(self) -> str:
        """The line of bash that waits."""
        port = self._listener.getsockname()[1]
        return f"exec 3<>/dev/tcp/127.0.0.1/{port}; read -r _ <&3"

    @property
    def hook(self) -> str:
        """A bin/pre_compile that waits."""
        return f"#!/bin/bash\n{self.shell}\n"

    def wait(self) -> None:
        """Return when the app has come to this point."""
        self._waiting, _ = self._listener.accept()

    def go(self) -> None:
        """Let it continue."""
        assert self._waiting is not None
        self._waiting.sendall(b"\n")
        self._waiting.close()

    def close(self) -> None:
        """Stop waiting here."""
        self._listener.close()


def read_until(process: "subprocess.Popen[str]", text: str) -> str:
    """Read a program's stdout up to the line that contains text; fails where it ends before."""
    assert process.stdout is not None
    heard = ""
    for line in process.stdout:
        heard += line
        if text in line:
            return heard
    raise AssertionError(f"{text!r} is not in what it printed:\n{heard}")
