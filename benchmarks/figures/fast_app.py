"""Requests a second of both proxies, in front of an app that answers at once."""

from functools import partial

from benchmarks import wrk
from benchmarks.alternating import alternately
from benchmarks.bench import Bench
from benchmarks.figures.throughput import p99_row, rate_row
from benchmarks.plain.fast import FILES, PlainFast
from benchmarks.plain.haproxy import PlainHaproxy
from benchmarks.plain.nginx import PlainNginx
from benchmarks.rows import Row, Rule, Target

APP = "fast"
ROUNDS = 9
SECONDS = 2
CONNECTIONS = 16
AT_LEAST = Target(Rule.RATIO_AT_LEAST, 0.9)
AT_MOST = Target(Rule.RATIO_AT_MOST, 1.1)


class FastApp:
    """Against the same app behind the same program, configured by hand."""

    name = "fast-app"

    def measure(self, bench: Bench) -> list[Row]:
        """Behind Nginx, then HAProxy; at the end, Nginx is the proxy again."""
        wrk.ensure_installed()
        server = bench.server
        others = server.instances()
        bench.deployed(APP, FILES)
        fast = PlainFast(bench.folder("fast-plain"))
        with fast.start():
            nginx = PlainNginx(bench.folder("fast-nginx"), fast.port)
            with nginx.start():
                rows = _compared(bench, "nginx", nginx.port)
            server.paas("proxy:set", "haproxy")
            try:
                haproxy = PlainHaproxy(bench.folder("fast-haproxy"), fast.port)
                with haproxy.start():
                    rows += _compared(bench, "haproxy", haproxy.port)
            finally:
                server.paas("proxy:set", "nginx")
        server.paas("apps:destroy", APP, "--confirm", APP)
        server.settle(others)
        return rows


def _compared(bench: Bench, proxy: str, port: int) -> list[Row]:
    server = bench.server
    server.settle(server.instances())
    load = partial(wrk.measure, connections=CONNECTIONS, seconds=SECONDS)
    ours = partial(load, server.http_port, server.host(APP))
    found = alternately(bench.rounds(ROUNDS), ours, partial(load, port, "plain.test"))
    title = f"requests/s, an app that answers at once, {proxy}"
    return [
        rate_row(f"fast-{proxy}", title, found, AT_LEAST),
        p99_row(f"fast-{proxy}-p99", "p99 of these requests", found, AT_MOST),
    ]
