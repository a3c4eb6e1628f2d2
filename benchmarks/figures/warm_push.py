"""Warm push to live: one line changed, dependencies as before."""

import time

from benchmarks.bench import LIVE, Bench
from benchmarks.client import Project
from benchmarks.plain.app import PlainApp
from benchmarks.quiet import wait_for_quiet
from benchmarks.rows import Row, Rule, Target, compared
from benchmarks.stats import sums

ROUNDS = 12


class WarmPush:
    """Against a push to a bare repository and the app's own start to its first answer."""

    name = "warm-push"

    def measure(self, bench: Bench) -> list[Row]:
        """Push alternately."""
        project, plain = bench.live, bench.live_plain
        bench.sshd.new_repository()
        project.push(bench.sshd.url)
        env = plain.environment()
        ours, bare, start = [], [], []
        stale = 0
        for _ in range(bench.rounds(ROUNDS)):
            project.commit()
            bench.server.settle(1)
            wait_for_quiet()
            ours.append(project.push(bench.server.git_url(LIVE)))
            stale += not bench.serves(project, LIVE)
            bench.server.settle(1)
            wait_for_quiet()
            bare.append(project.push(bench.sshd.url))
            start.append(first_answer(plain, env))
        row = compared(
            self.name,
            "warm push to live",
            "s",
            ours,
            sums(bare, start),
            Target(Rule.RATIO_AT_MOST, 1.6),
            note=parts(bare, start),
            flaws=stale_flaw(stale, len(ours)),
        )
        return [row]


def first_answer(plain: PlainApp, env: dict[str, str]) -> float:
    """The seconds from the start of Gunicorn, on fresh files, to the first answer."""
    plain.update()
    started = time.perf_counter()
    with plain.start(env):
        plain.wait()
        return time.perf_counter() - started


def parts(bare: list[float], start: list[float]) -> str:
    """The parts of the baseline, as text."""
    middle = [sorted(column)[len(column) // 2] for column in (bare, start)]
    return f"baseline: {middle[0]:.2f} s for git push, {middle[1]:.2f} s for Gunicorn"


def stale_flaw(stale: int, pushes: int) -> list[str]:
    """A flaw if a push returned before its version was served."""
    return [f"{stale} of {pushes} pushes returned before they were live"] if stale else []


def pushes_to_live(bench: Bench, project: Project, rounds: int, instances: int) -> list[float]:
    """Only warm pushes, with so many instances on the server.

    Raises BenchError if one is not live when it returns.
    """
    found = []
    for _ in range(rounds):
        project.commit()
        wait_for_quiet()
        found.append(bench.push(project, LIVE))
        bench.server.settle(instances)
    return found
