"""The latency of an app while somebody resets HTTP/2 streams of another one."""

import json
import subprocess
import time
from pathlib import Path

from benchmarks import resets
from benchmarks.alternating import Samples
from benchmarks.bench import Bench
from benchmarks.bystander import LOAD_S, load, row
from benchmarks.commands import ENVIRONMENT, BenchError, progress
from benchmarks.loading import Outcome
from benchmarks.plain.fast import FILES
from benchmarks.plain.site import certificate
from benchmarks.quiet import wait_for_quiet
from benchmarks.rows import Row, Rule, Target

APP = "resets"
ROUNDS = 6
CONNECTIONS = 2
STREAMS_PER_S = 9_000
# How long the attack runs before the load starts, and after it ends.
MARGIN_S = 1.0
TARGET = Target(Rule.RATIO_AT_MOST, 2)


class Resets:
    """Against the same requests at rest, behind each proxy."""

    name = "resets"

    def measure(self, bench: Bench) -> list[Row]:
        """Behind Nginx, then HAProxy; at the end, Nginx is the proxy again."""
        assert bench.live
        server = bench.server
        others = server.instances()
        bench.deployed(APP, FILES)
        pair = certificate(bench.folder("resets-pair"), [server.host(APP)])
        server.paas("certs:add", APP, stdin=pair.chain.read_text() + pair.key.read_text())
        try:
            rows = [_row("nginx", _measured(bench))]
            server.paas("proxy:set", "haproxy")
            rows.append(_row("haproxy", _measured(bench)))
        finally:
            server.paas("proxy:set", "nginx")
            server.paas("apps:destroy", APP, "--confirm", APP)
        server.settle(others)
        return rows


def _measured(bench: Bench) -> Samples[Outcome]:
    found: Samples[Outcome] = Samples()
    for _ in range(bench.rounds(ROUNDS)):
        wait_for_quiet()
        found.plain.append(load(bench))
        attack = _attack(bench)
        try:
            time.sleep(MARGIN_S)
            found.ours.append(load(bench))
        finally:
            output, _ = attack.communicate()
        counts = json.loads(output)
        if counts["streams"] < resets.AT_ONCE:
            raise BenchError("The attack did not come about.")
        ours, plain = (round(1000 * one[-1].p99_s, 1) for one in (found.ours, found.plain))
        progress(f"       p99 {ours} ms beside {counts['streams']} resets, {plain} ms at rest")
    return found


def _attack(bench: Bench) -> subprocess.Popen[str]:
    options = {
        "port": bench.server.https_port,
        "host": bench.server.host(APP),
        "connections": CONNECTIONS,
        "rate": STREAMS_PER_S,
        "seconds": LOAD_S + 2 * MARGIN_S,
    }
    words = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
    # At the lowest priority, since it would be on another machine.
    argv = ["/usr/bin/nice", "-n", "19", "/usr/bin/python3", "-I", "-B"]
    argv += [str(Path(resets.__file__)), *words]
    return subprocess.Popen(
        argv, env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    )


def _row(proxy: str, found: Samples[Outcome]) -> Row:
    beside = f"a rapid reset of another app, {proxy}"
    return row(f"resets-{proxy}", beside, found, TARGET)
