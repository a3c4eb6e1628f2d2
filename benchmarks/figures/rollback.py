"""Rolling back to the former release, code and config, while the app is under load."""

import time
from collections.abc import Callable

from benchmarks.bench import LIVE, Bench
from benchmarks.client import Project
from benchmarks.commands import run
from benchmarks.loading import LoadProcess
from benchmarks.plain.nginx import PlainNginx
from benchmarks.plain.supervisor import PlainSupervisor
from benchmarks.rows import Row, Rule, Target, compared
from benchmarks.web import get

ROUNDS = 10
RATE = 200.0
TARGET_S = 2.0


class Rollback:
    """Against a manual rollback to a version that was kept: stop, start."""

    name = "rollback"

    def measure(self, bench: Bench) -> list[Row]:
        """Both under the same load; when the command ends, the page must be the former one."""
        project, rounds = bench.live, bench.rounds(ROUNDS)
        ours, stale, failed, words = _ours(bench, project, rounds)
        flaws = [f"{stale} of {rounds} returned before the former page was there"] if stale else []
        return [
            compared(
                self.name,
                "rollback to live, under 200 requests/s",
                "s",
                ours,
                _plain(bench, rounds),
                Target(Rule.VALUE_AT_MOST, TARGET_S),
                note="with ssh, until the command ends; baseline: a stop and a start under "
                f"supervisord, until it answers; slowest {max(ours):.2f} s",
                flaws=flaws,
            ),
            Row(
                "rollback-failed",
                "requests failed over these rollbacks",
                "",
                failed,
                None,
                Target(Rule.VALUE_AT_MOST, 0),
                note=f"{rounds} rollbacks: {words}",
            ),
        ]


def _ours(bench: Bench, project: Project, rounds: int) -> tuple[list[float], int, int, str]:
    """The seconds of each, the number of wrong pages, the failed requests, and a summary."""
    server = bench.server
    rollback = [*bench.key.ssh(server.ssh_port), "rollback", "-a", LIVE]
    page = _page(bench)
    project.commit()
    bench.push(project, LIVE)
    pages = [page, _page(bench)]
    took, stale = [], 0
    with LoadProcess(server.http_port, server.host(LIVE), rate=RATE) as load:
        for number in range(rounds):
            server.settle(1)
            took.append(_seconds(lambda: run(rollback)))
            stale += _page(bench) != pages[number % 2]
        server.settle(1)
    return took, stale, load.outcome.failed, load.outcome.words


def _plain(bench: Bench, rounds: int) -> list[float]:
    plain = bench.live_plain
    supervisor = PlainSupervisor(bench.server, bench.folder("plain-rollback"), plain)
    nginx = PlainNginx(bench.folder("nginx"), plain.port)

    def restart() -> None:
        supervisor.stop_then_start()
        plain.wait()

    with (
        supervisor.start(),
        nginx.start(),
        LoadProcess(nginx.port, "plain.test", rate=RATE),
    ):
        return [_seconds(restart) for _ in range(rounds)]


def _page(bench: Bench) -> bytes:
    answer = get(bench.server.http_port, bench.server.host(LIVE))
    return answer.partition(b"\r\n\r\n")[2]


def _seconds(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started
