"""The dashboard: its first page, and the memory of what serves HTTP."""

import time

from benchmarks.bench import LIVE, Bench
from benchmarks.browser import Browser
from benchmarks.client import Key
from benchmarks.commands import run
from benchmarks.figures.memory import MIB
from benchmarks.quiet import wait_for_quiet
from benchmarks.rows import Row, Rule, Target
from benchmarks.server import Server, descendants, pss_bytes, supervisord, words_of

ROUNDS = 30
_NAMES = ("paas.entrypoints.web.server", "paas.entrypoints.streams.server")


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
            browser = Browser(server, run([*ssh, "dashboard:open"]).split()[-1])
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


def _memory(server: Server) -> int:
    """The bytes of the processes that serve HTTP, PSS."""
    pids = [
        pid
        for pid in descendants(supervisord(server.root))
        if any(name in " ".join(words_of(pid)) for name in _NAMES)
    ]
    return pss_bytes(pids)
