"""A push of one changed line of an app with a Dockerfile, until its container serves it."""

from statistics import median

from benchmarks.bench import Bench
from benchmarks.containers.bench import LIVE, Containers
from benchmarks.figures.warm_push import stale_flaw
from benchmarks.quiet import wait_for_quiet
from benchmarks.rows import Row, Rule, Target, compared
from benchmarks.stats import sums

ROUNDS = 12
AT_MOST = Target(Rule.RATIO_AT_MOST, 1.3)


class ContainersPush:
    """Against `docker build` and `docker run` by hand, until the container answers."""

    name = "containers-push"

    def measure(self, bench: Bench) -> list[Row]:
        """Deploy alternately; the steps before the changed line are cached for both."""
        containers = bench.containers
        project, server = containers.live, containers.server
        containers.sshd.new_repository()
        project.push(containers.sshd.url)
        _by_hand(containers)
        ours, bare, build, start = [], [], [], []
        stale = 0
        for _ in range(bench.rounds(ROUNDS)):
            project.commit()
            server.settle(1)
            wait_for_quiet()
            ours.append(project.push(server.git_url(LIVE)))
            stale += not server.serves(LIVE, project.mark)
            server.settle(1)
            wait_for_quiet()
            bare.append(project.push(containers.sshd.url))
            built_s, started_s = _by_hand(containers)
            build.append(built_s)
            start.append(started_s)
        row = compared(
            self.name,
            "push of a changed line to a container, live",
            "s",
            ours,
            sums(build, start),
            AT_MOST,
            note=parts(ours, bare, build, start),
            flaws=stale_flaw(stale, len(ours)),
        )
        return [row]


def _by_hand(containers: Containers) -> tuple[float, float]:
    """The seconds of the build, and of the run until the first answer; nothing is left of both.

    A first build fills the cache, from which the platform deletes what no push has used.
    """
    plain = containers.by_hand
    plain.build()
    plain.forget()
    wait_for_quiet()
    built_s = plain.build()
    try:
        return built_s, plain.start()
    finally:
        plain.stop()
        plain.forget()


def parts(ours: list[float], bare: list[float], build: list[float], start: list[float]) -> str:
    """What the baseline consists of, and what a push has beyond it, as text."""
    without = (median(ours) - median(bare)) / median(sums(build, start))
    return (
        f"baseline: {median(build):.2f} s for docker build, {median(start):.2f} s for docker run "
        f"until it answers; a push to a bare repository takes {median(bare):.2f} s more, and "
        f"without that time of ssh and git the ratio is {without:.2f}"
    )
