"""Warm push to live: one line changed, dependencies as before."""

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.bench import EXAMPLE, LIVE, Bench
from benchmarks.client import Project
from benchmarks.plain.app import PlainApp
from benchmarks.quiet import wait_for_quiet
from benchmarks.rows import Row, Rule, Target, compared
from benchmarks.stats import sums

ROUNDS, LARGE_ROUNDS = 12, 10
LARGE = "large"


class WarmPush:
    """Against a push to a bare repository and the app's own start to its first answer."""

    name = "warm-push"

    def measure(self, bench: Bench) -> list[Row]:
        """Push hello."""
        samples = Samples.taken(
            bench, bench.live, LIVE, bench.live_plain, rounds=bench.rounds(ROUNDS), instances=1
        )
        return [samples.row(self.name, "warm push to live")]


class LargePush:
    """The same with dependencies of a size that data science has."""

    name = "large-push"

    def measure(self, bench: Bench) -> list[Row]:
        """Push an app that imports pandas and scikit-learn, beside hello."""
        assert bench.live  # so that there are as many instances whatever was measured before
        project = Project(_large_example(bench), bench.room / LARGE, bench.key)
        bench.push(project, LARGE)
        plain = PlainApp(bench.server, bench.folder("large-plain"), project.path)
        plain.install()
        plain.update()
        rounds = bench.rounds(LARGE_ROUNDS)
        samples = Samples.taken(bench, project, LARGE, plain, rounds=rounds, instances=2)
        bench.server.paas("apps:destroy", LARGE, "--confirm", LARGE)
        bench.server.settle(1)
        return [samples.row(self.name, "warm push to live, pandas and scikit-learn")]


def _large_example(bench: Bench) -> Path:
    """flask-hello with further requirements, which it imports."""
    example = bench.folder("large-example")
    shutil.copytree(bench.source / EXAMPLE, example, dirs_exist_ok=True)
    with (example / "requirements.txt").open("a") as requirements:
        requirements.write("pandas\nscikit-learn\n")
    app = example / "app.py"
    app.write_text(app.read_text() + "\nimport pandas\nimport sklearn.linear_model\n")
    return example


@dataclass(frozen=True, slots=True)
class Samples:
    """Of each round, in seconds: our push, the plain push, and Gunicorn's start.

    stale: how many of our pushes returned before their version was served.
    """

    ours: list[float]
    bare: list[float]
    start: list[float]
    stale: int

    @classmethod
    def taken(
        cls,
        bench: Bench,
        project: Project,
        app: str,
        plain: PlainApp,
        *,
        rounds: int,
        instances: int,
    ) -> "Samples":
        """Push alternately. instances: how many the server has when nothing is being rolled out."""
        bench.sshd.new_repository()
        project.push(bench.sshd.url)
        env = plain.environment()
        ours, bare, start = [], [], []
        stale = 0
        for _ in range(rounds):
            project.commit()
            bench.server.settle(instances)
            wait_for_quiet()
            ours.append(project.push(bench.server.git_url(app)))
            stale += not bench.serves(project, app)
            bench.server.settle(instances)
            wait_for_quiet()
            bare.append(project.push(bench.sshd.url))
            start.append(first_answer(plain, env))
        return cls(ours, bare, start, stale)

    def row(self, name: str, title: str) -> Row:
        """Our pushes, compared with the sum of the two others."""
        return compared(
            name,
            title,
            "s",
            self.ours,
            sums(self.bare, self.start),
            Target(Rule.RATIO_AT_MOST, 1.6),
            note=parts(self.bare, self.start),
            flaws=stale_flaw(self.stale, len(self.ours)),
        )


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
