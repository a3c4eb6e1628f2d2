"""The cost of an app's own network: the time to start an instance, and processor time."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from benchmarks import wrk
from benchmarks.alternating import alternately
from benchmarks.bench import LIVE, Bench
from benchmarks.commands import BenchError
from benchmarks.rows import Row, Rule, Target, compared
from benchmarks.server import Server, descendants, supervisord

RESTARTS = 15
ROUNDS = 31
SECONDS = 1
CONNECTIONS = 16
CPU_AT_MOST = Target(Rule.RATIO_AT_MOST, 1.03)


class AppNetworks:
    """A server with `app_networks` beside one without."""

    name = "app-networks"

    def measure(self, bench: Bench) -> list[Row]:
        """The same app on both, alternately."""
        wrk.ensure_installed()
        assert bench.live
        with _other(bench) as other:
            bench.server.rest()
            restarts = alternately(
                bench.rounds(RESTARTS),
                partial(restart_ms, other),
                partial(restart_ms, bench.server),
            )
            for server in (other, bench.server):
                server.settle(1)
                server.rest()
            requests = alternately(
                bench.rounds(ROUNDS), partial(cpu_us, other), partial(cpu_us, bench.server)
            )
        start = compared(
            "app-networks-start",
            "ps:restart, each app with a network of its own",
            "ms",
            restarts.ours,
            restarts.plain,
            Target(Rule.NONE),
        )
        return [
            start,
            compared(
                "app-networks-cpu",
                "processor time of a request, with such networks",
                "µs",
                requests.ours,
                requests.plain,
                CPU_AT_MOST,
            ),
        ]


@contextmanager
def _other(bench: Bench) -> Iterator[Server]:
    """A server whose apps have networks of their own, with the same live app."""
    server = Server(bench.source, bench.room / "n")
    try:
        server.install({"app_networks": True})
        server.add_key(bench.key)
        bench.live.push(server.git_url(LIVE))
        _check(server)
        server.fill_router_log(LIVE)
        server.rest()
        yield server
    finally:
        server.remove()


def _check(server: Server) -> None:
    if not list((server.root / "run/networks").glob("[0-9]*")):
        raise BenchError("This machine cannot give apps networks of their own.")


def restart_ms(server: Server) -> float:
    """How long a restart of the app takes, until its new instance answers."""
    began = time.perf_counter()
    server.paas("ps:restart", "--app", LIVE)
    return (time.perf_counter() - began) * 1000


def cpu_us(server: Server) -> float:
    """The processor time of a request in all processes of the server, including the app's."""
    before = _cpu_ns(server)
    load = wrk.measure(
        server.http_port, server.host(LIVE), connections=CONNECTIONS, seconds=SECONDS
    )
    if load.errors:
        raise BenchError(f"{load.errors} requests failed.")
    return (_cpu_ns(server) - before) / (load.requests_per_s * SECONDS) / 1000


def _cpu_ns(server: Server) -> int:
    """The processor time they used (schedstat, see the kernel's sched-stats), threads included."""
    total = 0
    for pid in descendants(supervisord(server.root)):
        for path in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            try:
                total += int(path.read_text().split()[0])
            except OSError:
                continue  # it ended meanwhile
    return total
