"""wrk, which sends requests as fast as they are answered (https://github.com/wg/wrk)."""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from benchmarks.commands import ENVIRONMENT, BenchError, run

UNITS_MS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}


@dataclass(frozen=True, slots=True)
class Throughput:
    """Requests a second, the 99th percentile of their latency, and the failed requests."""

    requests_per_s: float
    p99_ms: float
    errors: int


def ensure_installed() -> None:
    """Install the Debian package if it is missing."""
    if shutil.which("wrk") is None:
        env = {**ENVIRONMENT, "DEBIAN_FRONTEND": "noninteractive"}
        run(["apt-get", "-qq", "update"], env=env)
        run(["apt-get", "-qq", "install", "--yes", "--no-install-recommends", "wrk"], env=env)


def measure(port: int, host: str, *, connections: int, seconds: int, path: str = "/") -> Throughput:
    """Load with two threads. Raises BenchError if its output cannot be parsed."""
    url = f"http://127.0.0.1:{port}{path}"
    return parse(run([*_argv(connections, seconds), "-H", f"Host: {host}", url]))


def measure_tls(
    url: str, hosts: Path, *, connections: int, seconds: int, close: bool = False
) -> Throughput:
    """The same over TLS, with the host name in the handshake.

    hosts: a file that wrk sees as /etc/hosts, with which the URL's name resolves to this machine.
    close: each request has a new connection.
    """
    words = ["-H", "Connection: close"] if close else []
    script = 'mount --bind "$1" /etc/hosts && shift && exec "$@"'
    hidden = ["unshare", "--mount", "sh", "-c", script, "sh", str(hosts)]
    return parse(run([*hidden, *_argv(connections, seconds), *words, url]))


def _argv(connections: int, seconds: int) -> list[str]:
    return ["wrk", "-t2", f"-c{connections}", f"-d{seconds}s", "--latency"]


def parse(text: str) -> Throughput:
    """Parse wrk's output."""
    rate = re.search(r"^Requests/sec:\s+([0-9.]+)$", text, re.MULTILINE)
    p99 = re.search(r"^\s+99%\s+([0-9.]+)(us|ms|s|m)$", text, re.MULTILINE)
    if rate is None or p99 is None:
        raise BenchError(f"wrk says:\n{text}")
    wrong = re.search(r"Non-2xx or 3xx responses: ([0-9]+)", text)
    sockets = re.search(
        r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text
    )
    errors = (int(wrong[1]) if wrong else 0) + (sum(map(int, sockets.groups())) if sockets else 0)
    return Throughput(float(rate[1]), float(p99[1]) * UNITS_MS[p99[2]], errors)
