"""The dashboard: its first page, and the memory of what serves HTTP."""

import http.client
import re
import time
from http.cookies import SimpleCookie
from urllib.parse import urlsplit

from benchmarks.bench import LIVE, Bench
from benchmarks.client import Key
from benchmarks.commands import BenchError, run
from benchmarks.figures.memory import MIB
from benchmarks.quiet import wait_for_quiet
from benchmarks.rows import Row, Rule, Target
from benchmarks.server import Server, descendants, pss_bytes, supervisord, words_of

ROUNDS = 30
_NAMES = ("paas.entrypoints.web.server", "paas.entrypoints.streams.server")
_PROOF = re.compile(rb'name="proof" value="([0-9a-f]+)"')
_LIMIT_S = 30.0


class Dashboard:
    """On a server of its own, with ``web: true`` and one app."""

    name = "dashboard"

    def measure(self, bench: Bench) -> list[Row]:
        """Log in with a link, and load the list of apps again and again."""
        server = Server(bench.source, bench.room / "web")
        try:
            server.install({"web": True, "web_plain_http": True})
            key = Key(bench.folder("web-key") / "key")
            server.add_key(key)
            ssh = key.ssh(server.ssh_port)
            run([*ssh, "apps:create", LIVE])
            browser = _Browser(server, run([*ssh, "dashboard:open"]).split()[-1])
            took_ms, size = [], 0
            for _ in range(bench.rounds(ROUNDS)):
                wait_for_quiet()
                began = time.perf_counter()
                page = browser.get("/")
                took_ms.append(1000 * (time.perf_counter() - began))
                size = len(page)
            memory = _memory(server)
        finally:
            server.remove()
        return [
            Row(
                "dashboard-page",
                "the first page of the dashboard",
                "ms",
                sorted(took_ms)[len(took_ms) // 2],
                None,
                Target(Rule.VALUE_AT_MOST, 100),
                note=f"{size / 1024:.1f} KiB, one app",
            ),
            Row(
                "web-memory",
                "memory of what serves git, the API and the dashboard (PSS)",
                "MiB",
                memory / MIB,
                None,
                Target(Rule.VALUE_AT_MOST, 60),
            ),
        ]


class _Browser:
    """Has logged in with a link."""

    def __init__(self, server: Server, link: str) -> None:
        self._port = server.http_port
        self._host = urlsplit(link).hostname or ""
        self._cookies = SimpleCookie()
        path = urlsplit(link).path
        proof = _PROOF.search(self._ask("GET", path))
        if proof is None:
            raise BenchError("The dashboard's link does not show a form.")
        self._ask("POST", path, f"proof={proof[1].decode()}")

    def get(self, path: str) -> bytes:
        """A page. Raises BenchError if it is not that of somebody who has logged in."""
        page = self._ask("GET", path)
        if b"/logout" not in page:
            raise BenchError("The dashboard does not show its first page.")
        return page

    def _ask(self, method: str, path: str, form: str | None = None) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_LIMIT_S)
        cookies = "; ".join(f"{one.key}={one.value}" for one in self._cookies.values())
        headers = {"Host": self._host, "Cookie": cookies}
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            connection.request(method, path, form, headers)
            answer = connection.getresponse()
            for header in answer.msg.get_all("Set-Cookie") or []:
                self._cookies.load(header)
            return answer.read()
        finally:
            connection.close()


def _memory(server: Server) -> int:
    """The bytes of the processes that serve HTTP, PSS."""
    pids = [
        pid
        for pid in descendants(supervisord(server.root))
        if any(name in " ".join(words_of(pid)) for name in _NAMES)
    ]
    return pss_bytes(pids)
