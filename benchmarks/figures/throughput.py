"""Requests a second and their latency, hello-world."""

from functools import partial

from benchmarks import wrk
from benchmarks.alternating import Samples, alternately
from benchmarks.bench import LIVE, Bench
from benchmarks.plain.nginx import PlainNginx
from benchmarks.rows import Row, Rule, Target, compared
from benchmarks.server import Server

ROUNDS = 9
SECONDS = 3
CONNECTIONS = 32
AT_LEAST = Target(Rule.RATIO_AT_LEAST, 0.97)
AT_MOST = Target(Rule.RATIO_AT_MOST, 1.05)
NONE = Target(Rule.NONE)


class Throughput:
    """Against the same Gunicorn behind a hand-written Nginx."""

    name = "throughput"

    def measure(self, bench: Bench) -> list[Row]:
        """Short runs, alternating."""
        wrk.ensure_installed()
        assert bench.live
        bench.server.settle(1)
        plain = bench.live_plain
        nginx = PlainNginx(bench.folder("nginx"), plain.port)
        with plain.start(plain.environment()), nginx.start():
            plain.wait()
            found = beside(bench, bench.server, nginx.port)
        return [
            rate_row("requests-per-second", "requests/s, hello-world, 32 connections", found),
            p99_row("p99", "p99 of these requests", found),
        ]


def beside(bench: Bench, server: Server, plain_port: int) -> Samples[wrk.Throughput]:
    """The live app through the server's proxy, and the plain app through another."""
    load = partial(wrk.measure, connections=CONNECTIONS, seconds=SECONDS)
    ours = partial(load, server.http_port, server.host(LIVE))
    return alternately(bench.rounds(ROUNDS), ours, partial(load, plain_port, "plain.test"))


def rate_row(
    name: str, title: str, found: Samples[wrk.Throughput], target: Target = AT_LEAST
) -> Row:
    """Requests a second."""
    ours, plain = ([one.requests_per_s for one in side] for side in (found.ours, found.plain))
    return compared(name, title, "/s", ours, plain, target, flaws=_flaws(found))


def p99_row(name: str, title: str, found: Samples[wrk.Throughput], target: Target = AT_MOST) -> Row:
    """The 99th percentile of their latency."""
    ours, plain = ([one.p99_ms for one in side] for side in (found.ours, found.plain))
    return compared(name, title, "ms", ours, plain, target, flaws=_flaws(found))


def _flaws(found: Samples[wrk.Throughput]) -> list[str]:
    errors = sum(one.errors for one in found.ours)
    return [f"{errors} requests failed"] if errors else []
