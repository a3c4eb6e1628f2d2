"""A file of 10 KB from a release, over HTTP and over TLS, and handshakes."""

import os
from collections.abc import Callable
from functools import partial

from benchmarks import wrk
from benchmarks.alternating import alternately
from benchmarks.bench import Bench
from benchmarks.commands import BenchError
from benchmarks.plain.site import PlainSites, certificate
from benchmarks.rows import Row, Rule, Target, compared
from benchmarks.web import get

ROUNDS = 18
SECONDS = 1
CONNECTIONS = 32
SIZE_BYTES = 10_000
APP = "files"
PLAIN = "plain.test"
FILE = "photo.jpg"
PATH = f"/{FILE}"

Measure = Callable[[], wrk.Throughput]


class Files:
    """Against a hand-written Nginx with the same file and the same certificate."""

    name = "files"

    def measure(self, bench: Bench) -> list[Row]:
        """Three loads, each alternately on ours and on the plain Nginx."""
        wrk.ensure_installed()
        server, host = bench.server, bench.server.host(APP)
        content = os.urandom(SIZE_BYTES)
        bench.deployed(APP, {"index.html": "<h1>Files</h1>\n", FILE: content})
        folder = bench.folder("plain-files")
        (folder / FILE).write_bytes(content)
        pair = certificate(bench.folder("pair"), [host, PLAIN])
        plain = PlainSites(bench.folder("nginx-files"))
        plain.add_files(PLAIN, folder, pair)
        hosts = bench.folder("hosts") / "hosts"
        hosts.write_text(f"127.0.0.1 localhost {host} {PLAIN}\n")
        urls = (
            f"https://{host}:{server.https_port}{PATH}",
            f"https://{PLAIN}:{plain.https_port}{PATH}",
        )

        def over_tls(url: str, *, close: bool) -> Measure:
            load = partial(wrk.measure_tls, url, hosts, connections=CONNECTIONS)
            return partial(load, seconds=SECONDS, close=close)

        with plain.start():
            for port, name in ((server.http_port, host), (plain.http_port, PLAIN)):
                if not get(port, name, path=PATH).endswith(content):
                    raise BenchError(f"{name} does not serve the file.")
            rounds = bench.rounds(ROUNDS)
            over_http = [_http(server.http_port, host), _http(plain.http_port, PLAIN)]
            rows = [_row("files-http", "requests/s, a file of 10 KB", rounds, *over_http)]
            both = pair.chain.read_text() + pair.key.read_text()
            server.paas("certs:add", APP, stdin=both)
            kept = [over_tls(url, close=False) for url in urls]
            rows.append(_row("files-tls", "requests/s over TLS, a file of 10 KB", rounds, *kept))
            fresh = [over_tls(url, close=True) for url in urls]
            title = "TLS handshakes/s, each with a request"
            return [*rows, _row("handshakes", title, rounds, *fresh)]


def _http(port: int, host: str) -> Measure:
    return partial(wrk.measure, port, host, connections=CONNECTIONS, seconds=SECONDS, path=PATH)


def _row(name: str, title: str, rounds: int, ours: Measure, plain: Measure) -> Row:
    found = alternately(rounds, ours, plain)
    errors = sum(one.errors for one in found.ours)
    return compared(
        name,
        title,
        "/s",
        [one.requests_per_s for one in found.ours],
        [one.requests_per_s for one in found.plain],
        Target(Rule.RATIO_AT_LEAST, 0.97),
        flaws=[f"{errors} requests failed"] if errors else [],
    )
