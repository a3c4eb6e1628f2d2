"""Requests a second and their latency, hello-world."""

from benchmarks import wrk
from benchmarks.bench import LIVE, Bench
from benchmarks.plain.nginx import PlainNginx
from benchmarks.quiet import wait_for_quiet
from benchmarks.rows import Row, Rule, Target, compared

ROUNDS = 9
SECONDS = 3
CONNECTIONS = 32


class Throughput:
    """Against the same Gunicorn behind a hand-written Nginx."""

    name = "throughput"

    def measure(self, bench: Bench) -> list[Row]:
        """Short runs, alternately and in alternating order."""
        wrk.ensure_installed()
        assert bench.live
        bench.server.settle(1)
        plain = bench.live_plain
        nginx = PlainNginx(bench.folder("nginx"), plain.port)
        with plain.start(plain.environment()), nginx.start():
            plain.wait()
            targets = [
                (bench.server.http_port, bench.server.host(LIVE)),
                (nginx.port, "plain.test"),
            ]
            found: list[list[wrk.Throughput]] = [[], []]
            for port, host in targets:
                wrk.measure(port, host, connections=CONNECTIONS, seconds=1)
            for number in range(bench.rounds(ROUNDS)):
                wait_for_quiet()
                for which in (0, 1) if number % 2 else (1, 0):
                    port, host = targets[which]
                    found[which].append(
                        wrk.measure(port, host, connections=CONNECTIONS, seconds=SECONDS)
                    )
        return _rows(*found)


def _rows(ours: list[wrk.Throughput], plain: list[wrk.Throughput]) -> list[Row]:
    errors = sum(one.errors for one in ours)
    flaws = [f"{errors} requests went wrong"] if errors else []
    return [
        compared(
            "requests-per-second",
            "requests/s, hello-world, 32 connections",
            "/s",
            [one.requests_per_s for one in ours],
            [one.requests_per_s for one in plain],
            Target(Rule.RATIO_AT_LEAST, 0.97),
            flaws=flaws,
        ),
        compared(
            "p99",
            "p99 of these requests",
            "ms",
            [one.p99_ms for one in ours],
            [one.p99_ms for one in plain],
            Target(Rule.RATIO_AT_MOST, 1.05),
            flaws=flaws,
        ),
    ]
