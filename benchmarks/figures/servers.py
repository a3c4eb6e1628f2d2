"""Application servers for an app without a Procfile."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks import wrk
from benchmarks.bench import Bench
from benchmarks.plain.nginx import PlainNginx
from benchmarks.plain.wsgi import WsgiApp
from benchmarks.quiet import wait_for_quiet
from benchmarks.rows import Row, Rule, Target, compared
from benchmarks.server import descendants, pss_bytes

ROUNDS = 4
SECONDS = 2
CONNECTIONS = 32
HOST = "plain.test"
MIB = 1024 * 1024
PLAIN, DEFAULT, GRANIAN = "plain", "default", "granian"
# The numbers of threads other than the default.
THREADS = (4, 16)
# The default must handle waiting well without being slower otherwise.
TARGETS: Mapping[str, Mapping[str, Target]] = {
    "/": {
        DEFAULT: Target(Rule.RATIO_AT_LEAST, 0.95),
        GRANIAN: Target(Rule.RATIO_AT_LEAST, 1.5),
    },
    "/wait": {
        DEFAULT: Target(Rule.RATIO_AT_LEAST, 3.0),
        GRANIAN: Target(Rule.RATIO_AT_LEAST, 3.0),
    },
}
SHORT = {"/": "hello", "/wait": "wait"}
TITLES = {"/": "hello-world", "/wait": "each waits 10 ms"}
SERVERS = {DEFAULT: "the platform's default", GRANIAN: "WSGI_SERVER=granian"}


@dataclass(frozen=True, slots=True)
class Sample:
    """One run of wrk, and the memory of the server's processes after it."""

    load: wrk.Throughput
    pss_bytes: int


class Servers:
    """Against Gunicorn's defaults, one request per worker, all behind the same Nginx."""

    name = "servers"

    def measure(self, bench: Bench) -> list[Row]:
        """Measure one after the other, repeatedly."""
        wrk.ensure_installed()
        app = WsgiApp(bench)
        commands = {
            PLAIN: "gunicorn app:app",
            DEFAULT: app.found("gunicorn"),
            **{f"threads-{n}": f"gunicorn --threads {n} app:app" for n in THREADS},
            GRANIAN: app.found("granian"),
        }
        found: dict[tuple[str, str], list[Sample]] = {}
        nginx = PlainNginx(bench.folder("nginx-servers"), app.port)
        with nginx.start():
            for _ in range(bench.rounds(ROUNDS)):
                for name, command in commands.items():
                    for path, sample in _samples(app, command, nginx.port):
                        found.setdefault((path, name), []).append(sample)
        others = [name for name in commands if name != PLAIN]
        return [
            _row(path, name, commands[name], found[path, name], found[path, PLAIN])
            for path in TARGETS
            for name in others
        ]


def _samples(app: WsgiApp, command: str, port: int) -> Iterator[tuple[str, Sample]]:
    wait_for_quiet()
    with app.start(command) as daemon:
        for path in TARGETS:
            wrk.measure(port, HOST, connections=CONNECTIONS, seconds=1, path=path)
            load = wrk.measure(port, HOST, connections=CONNECTIONS, seconds=SECONDS, path=path)
            yield path, Sample(load, pss_bytes(descendants(daemon.pid)))


def _row(
    path: str, name: str, command: str, ours: Sequence[Sample], plain: Sequence[Sample]
) -> Row:
    errors = sum(sample.load.errors for sample in ours)
    p99, plain_p99 = (median(one.load.p99_ms for one in samples) for samples in (ours, plain))
    memory, plain_memory = (median(one.pss_bytes for one in samples) for samples in (ours, plain))
    note = f"{command}; p99 {p99:.1f} and {plain_p99:.1f} ms; "
    note += f"memory {memory / MIB:.0f} and {plain_memory / MIB:.0f} MiB"
    return compared(
        f"servers-{SHORT[path]}-{name}",
        f"requests/s, {TITLES[path]}: {SERVERS.get(name, command)}",
        "/s",
        [sample.load.requests_per_s for sample in ours],
        [sample.load.requests_per_s for sample in plain],
        TARGETS[path].get(name, Target(Rule.NONE)),
        note=note,
        flaws=[f"{errors} requests failed"] if errors else [],
    )
