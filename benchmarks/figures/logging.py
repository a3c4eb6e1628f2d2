"""The processor time of the log process while many apps print much."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.commands import BenchError
from benchmarks.quiet import wait_for_quiet
from benchmarks.rows import Row, Rule, Target
from benchmarks.server import Server, children, supervisord, words_of
from benchmarks.web import get

APPS = 20
LINES_PER_S = 1_000
SECONDS = 20
ARRIVAL_S = 5.0
BLOCKED_MAX_S = 2.0
CORE_MAX = 0.5


class Logging:
    """20,000 lines a second from 20 apps."""

    name = "logging"

    def measure(self, bench: Bench) -> list[Row]:
        """Have the apps print, read the processor time before and after, count the logged lines."""
        server = bench.server
        seconds = bench.rounds(SECONDS)
        bench.inside("crowd.py", server.etc, "add", str(APPS))
        try:
            wait_for_quiet()
            apps = [f"crowd-{number}" for number in range(1, APPS + 1)]
            logger = log_process(server)
            before_s, begun = cpu_s(logger), time.monotonic()
            with ThreadPoolExecutor(APPS) as pool:
                told = list(pool.map(lambda app: loud(server, app, seconds), apps))
            took_s = time.monotonic() - begun
            sent = [count for count, _ in told]
            missing = sum(sent) - arrived(server, apps, sum(sent))
            share = (cpu_s(logger) - before_s) / took_s
        finally:
            bench.inside("crowd.py", server.etc, "remove")
        longest_s = max(longest for _, longest in told)
        flaws = []
        if missing:
            flaws.append(f"{missing} of {sum(sent)} lines are missing")
        if longest_s > BLOCKED_MAX_S:
            flaws.append(f"an app was blocked for {longest_s:.2f} s")
        if log_process(server) != logger:
            flaws.append("the log process was restarted")
        rate = sum(sent) / seconds
        return [
            Row(
                self.name,
                f"log process, {APPS * LINES_PER_S} lines/s of {APPS} apps",
                "cores",
                share,
                None,
                Target(Rule.VALUE_AT_MOST, CORE_MAX),
                note=f"{sum(sent)} lines of 100 bytes, {rate:.0f}/s for {seconds} s, "
                f"{missing} missing; the longest write of an app took {longest_s:.2f} s",
                flaws=tuple(flaws),
            )
        ]


def loud(server: Server, app: str, seconds: int) -> tuple[int, float]:
    """Have an app print; returns the number of lines and the seconds of its longest write."""
    path = f"/loud/{LINES_PER_S}/{seconds}"
    answer = get(server.http_port, server.host(app), timeout_s=seconds + 30, path=path)
    words = answer.rpartition(b"\r\n\r\n")[2].split()
    if not answer.startswith(b"HTTP/1.1 200") or len(words) != 2:
        raise BenchError(f"{app} did not print: {answer[:200]!r}")
    return int(words[0]), float(words[1])


def arrived(server: Server, apps: list[str], wanted: int) -> int:
    """The number of lines in the logs, once all are there or after a time limit."""
    deadline = time.monotonic() + ARRIVAL_S
    while True:
        found = sum(_lines(server.root / "var/logs" / str(server.app_ids(a)[0])) for a in apps)
        if found >= wanted or time.monotonic() > deadline:
            return found
        time.sleep(0.2)


def _lines(folder: Path) -> int:
    return sum(path.read_bytes().count(b"x" * 90 + b"\n") for path in folder.glob("app.log*"))


def log_process(server: Server) -> int:
    """Its pid."""
    for pid in children(supervisord(server.root)):
        if "logger.py" in " ".join(words_of(pid)):
            return pid
    raise BenchError("The log process is not running.")


def cpu_s(pid: int) -> float:
    """The processor time that a process has used (proc(5), stat)."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
