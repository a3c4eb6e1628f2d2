"""How long after a reboot all apps serve again."""

import json
import shutil
import sqlite3
import time
from contextlib import closing

from benchmarks.bench import Bench
from benchmarks.commands import BenchError, wait_until
from benchmarks.plain.crowd import PlainCrowd, listening
from benchmarks.rows import Row, Rule, Target, compared
from benchmarks.server import Server
from benchmarks.web import get

APPS = 200
TARGET_S = 10.0
ROUNDS = 3
LIMIT_S = 600.0
POLL_S = 0.05


class Boot:
    """The server is stopped, what a reboot deletes is deleted, and it is started."""

    name = "boot"

    def measure(self, bench: Bench) -> list[Row]:
        """Measure alternately with the same programs under a hand-configured supervisord."""
        server, apps = bench.server, bench.apps(APPS)
        bench.inside("crowd.py", server.etc, "add", str(apps))
        plain = PlainCrowd(server, bench.folder("plain-crowd"), apps)
        ours, baseline = [], []
        for _ in range(bench.rounds(ROUNDS)):
            ours.append(boot_s(server))
            baseline.append(plain.start_s())
        bench.inside("crowd.py", server.etc, "remove")
        return [
            compared(
                self.name,
                f"boot, until {apps} apps serve",
                "s",
                ours,
                baseline,
                Target(Rule.VALUE_AT_MOST, TARGET_S) if apps == APPS else Target(Rule.NONE),
                note="baseline: the same programs, bare, under a supervisord configured by hand",
            )
        ]


def boot_s(server: Server) -> float:
    """From server:start until the proxy passes a request on to each live instance."""
    ports = live_ports(server)
    server.paas("server:stop")
    shutil.rmtree(server.root / "run")
    started = time.monotonic()
    server.paas("server:start")
    wait_until(lambda: ports <= listening(), LIMIT_S, "every app", POLL_S)
    took_s = time.monotonic() - started
    for name in names(server):
        if not get(server.http_port, server.host(name)).startswith(b"HTTP/1.1 200"):
            raise BenchError(f"{name} does not serve after the boot.")
    return took_s


def live_ports(server: Server) -> set[int]:
    """The ports of all instances, from their launch specs."""
    found = set()
    for path in (server.root / "run/specs").glob("*.json"):
        found.add(int(json.loads(path.read_text())["env"]["PORT"]))
    return found


def names(server: Server) -> list[str]:
    """Every app that is live."""
    uri = f"file:{server.root}/var/state.db?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as database:
        found = database.execute("SELECT name FROM apps WHERE current IS NOT NULL").fetchall()
    return [str(name) for (name,) in found]
