"""The latency of an app that has nothing to do with what another one suffers or does."""

import time

from benchmarks.alternating import Samples
from benchmarks.bench import LIVE, Bench
from benchmarks.loading import LoadProcess, Outcome
from benchmarks.rows import Row, Target, compared

RATE = 100.0
LOAD_S = 5.0


def load(bench: Bench) -> Outcome:
    """What becomes of 100 requests a second to hello, for five seconds."""
    server = bench.server
    with LoadProcess(server.http_port, server.host(LIVE), rate=RATE, ahead=True) as process:
        time.sleep(LOAD_S)
    return process.outcome


def row(name: str, beside: str, found: Samples[Outcome], target: Target) -> Row:
    """The p99 of each load beside something, compared with that of each load at rest."""
    failed = sum(one.failed for one in found.ours)
    return compared(
        name,
        f"p99 of {RATE:g} requests/s beside {beside}",
        "ms",
        [1000 * one.p99_s for one in found.ours],
        [1000 * one.p99_s for one in found.plain],
        target,
        flaws=[f"{failed} requests failed"] if failed else [],
    )
