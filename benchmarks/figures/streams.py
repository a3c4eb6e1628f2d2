"""The processor time of two hundred people who follow an app's log over HTTP."""

import http.client
import json
import selectors
import socket
import threading
import time
from urllib.parse import urlsplit

from benchmarks.bench import Bench
from benchmarks.client import Key
from benchmarks.commands import BenchError, run
from benchmarks.figures.logging import cpu_s
from benchmarks.quiet import wait_for_quiet
from benchmarks.rows import Row, Rule, Target
from benchmarks.server import DOMAIN, Server, descendants, supervisord
from benchmarks.web import LOOPBACK, get

USERS, EACH = 8, 25
APP = "crowd-1"
LINES_PER_S = 10
SECONDS = 20
API = f"api.{DOMAIN}"
_LIMIT_S = 30.0


class Streams:
    """On a server of its own, with ``web: true``: log sessions, as ``heroku logs --tail`` has."""

    name = "streams"

    def measure(self, bench: Bench) -> list[Row]:
        """Open them all, have the app print, and read the processor time before and after."""
        server = Server(bench.source, bench.room / "streams")
        seconds = bench.rounds(SECONDS)
        try:
            server.install({"web": True, "web_plain_http": True})
            server.inside("crowd.py", server.etc, "add", "1")
            sockets = [one for user in range(USERS) for one in _followed(bench, server, user)]
            try:
                wait_for_quiet()
                share, sent, got = _measured(server, sockets, seconds)
            finally:
                for one in sockets:
                    one.close()
            server.inside("crowd.py", server.etc, "remove")
        finally:
            server.remove()
        missing = sent * len(sockets) - got
        return [
            Row(
                self.name,
                f"{len(sockets)} live log streams of an app with {LINES_PER_S} lines/s",
                "cores",
                share,
                None,
                Target(Rule.VALUE_AT_MOST, 0.5),
                note=f"of all processes of the server; {sent} lines in {seconds} s",
                flaws=(f"{missing} lines are missing",) if missing else (),
            )
        ]


def _followed(bench: Bench, server: Server, number: int) -> list[socket.socket]:
    """The streams of one user, each after its headers."""
    key = Key(bench.folder(f"streams-key-{number}") / "key")
    user = f"reader{number}"
    server.paas("keys:add", user, stdin=key.public)
    key.trust(server.ssh_port, server.etc / "ssh_host_ed25519_key.pub")
    server.paas("users:set-role", user, "admin")  # who sees an app that nobody owns
    token = run([*key.ssh(server.ssh_port), "tokens:create"]).strip()
    return [_stream(server, token) for _ in range(EACH)]


def _stream(server: Server, token: str) -> socket.socket:
    connection = http.client.HTTPConnection(LOOPBACK, server.http_port, timeout=_LIMIT_S)
    head = {"Host": API, "Authorization": f"Bearer {token}"}
    body = json.dumps({"tail": True, "lines": 1})
    try:
        connection.request("POST", f"/apps/{APP}/log-sessions", body, head)
        answer = connection.getresponse().read()
    finally:
        connection.close()
    path = urlsplit(str(json.loads(answer)["logplex_url"])).path
    opened = socket.create_connection((LOOPBACK, server.http_port), _LIMIT_S)
    opened.sendall(f"GET {path} HTTP/1.1\r\nHost: {API}\r\n\r\n".encode())
    if not opened.recv(4096).startswith(b"HTTP/1.1 200"):
        raise BenchError("A log session was not opened.")
    return opened


def _measured(server: Server, sockets: list[socket.socket], seconds: int) -> tuple[float, int, int]:
    """Cores that the server used, the lines that the app printed, and those that were read."""
    reader = _Reader(sockets)
    reader.start()
    pids = descendants(supervisord(server.root))
    before, begun = sum(map(cpu_s, pids)), time.monotonic()
    path = f"/loud/{LINES_PER_S}/{seconds}"
    answer = get(server.http_port, server.host(APP), timeout_s=seconds + 30, path=path)
    sent = int(answer.rpartition(b"\r\n\r\n")[2].split()[0])
    took_s = time.monotonic() - begun
    share = (sum(map(cpu_s, pids)) - before) / took_s
    reader.wait_for(sent * len(sockets))
    return share, sent, reader.lines


class _Reader(threading.Thread):
    """Reads all streams, and counts the app's lines."""

    def __init__(self, sockets: list[socket.socket]) -> None:
        super().__init__(daemon=True)
        self.lines = 0
        self._selector = selectors.DefaultSelector()
        for one in sockets:
            self._selector.register(one, selectors.EVENT_READ, one.recv)

    def run(self) -> None:
        while True:
            for key, _events in self._selector.select(1):
                try:
                    data: bytes = key.data(65536)
                except OSError:
                    return
                self.lines += data.count(b"x" * 90)

    def wait_for(self, wanted: int) -> None:
        """Until so many were read, or a time limit."""
        deadline = time.monotonic() + _LIMIT_S
        while self.lines < wanted and time.monotonic() < deadline:
            time.sleep(0.1)
