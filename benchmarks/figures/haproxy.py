"""The same server with HAProxy as its proxy: speed, redeploys, and the switch between the two."""

from benchmarks import wrk
from benchmarks.bench import LIVE, Bench
from benchmarks.figures.redeploys import RATE, redeployed
from benchmarks.figures.throughput import NONE, beside, p99_row, rate_row
from benchmarks.loading import LoadProcess, Outcome
from benchmarks.plain.haproxy import PlainHaproxy
from benchmarks.rows import Row, Rule, Target

CHANGES = 10
SWITCHES = 10


class Haproxy:
    """Speed compared to a hand-written HAProxy; no request may fail."""

    name = "haproxy"

    def measure(self, bench: Bench) -> list[Row]:
        """Measure; at the end, Nginx is the proxy again."""
        wrk.ensure_installed()
        assert bench.live
        bench.server.settle(1)
        bench.server.paas("proxy:set", "haproxy")
        try:
            rows = [*_speed(bench), _redeploys(bench)]
        finally:
            bench.server.paas("proxy:set", "nginx")
        return [*rows, _switches(bench)]


def _speed(bench: Bench) -> list[Row]:
    plain = bench.live_plain
    haproxy = PlainHaproxy(bench.folder("haproxy"), plain.port)
    with plain.start(plain.environment()), haproxy.start():
        plain.wait()
        found = beside(bench, bench.server, haproxy.port)
    title = "requests/s, hello-world, behind HAProxy"
    return [
        rate_row("haproxy-requests", title, found, NONE),
        p99_row("haproxy-p99", "p99 of these requests", found, NONE),
    ]


def _redeploys(bench: Bench) -> Row:
    changes = bench.rounds(CHANGES)
    outcome = redeployed(bench, "haproxy-redeploys", changes)
    title = "requests failed over redeploys, behind HAProxy"
    note = f"{changes} redeploys and {changes} config:set"
    return _failed("haproxy-redeploys", title, outcome, note)


def _switches(bench: Bench) -> Row:
    server, switches = bench.server, bench.rounds(SWITCHES)
    with LoadProcess(server.http_port, server.host(LIVE), rate=RATE) as load:
        for number in range(switches):
            server.paas("proxy:set", "nginx" if number % 2 else "haproxy")
    server.paas("proxy:set", "nginx")
    title = "requests failed over switches of the proxy"
    return _failed("haproxy-switches", title, load.outcome, f"{switches} times proxy:set")


def _failed(name: str, title: str, outcome: Outcome, what: str) -> Row:
    none = Target(Rule.VALUE_AT_MOST, 0)
    return Row(name, title, "", outcome.failed, None, none, note=f"{what}: {outcome.words}")
