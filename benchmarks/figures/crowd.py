"""The same warm push with hundreds of other apps on the server."""

import time

from benchmarks.bench import Bench
from benchmarks.commands import progress
from benchmarks.figures.warm_push import pushes_to_live
from benchmarks.rows import Row, Rule, Target, compared

APPS = 300
ROUNDS = 6
SETTLE_S = 2.0


class Crowd:
    """With the programs and sites of 300 other apps, against none, both before and after."""

    name = "crowd"

    def measure(self, bench: Bench) -> list[Row]:
        """Push alone, create the crowd, push, remove it, push alone again."""
        project, server = bench.live, bench.server
        rounds, apps = bench.rounds(ROUNDS), bench.apps(APPS)
        server.settle(1)
        alone = pushes_to_live(bench, project, rounds, 1)
        started = time.monotonic()
        bench.inside("crowd.py", server.etc, "add", str(apps))
        progress(f"       {apps} apps created in {time.monotonic() - started:.0f} s")
        time.sleep(SETTLE_S)
        among = pushes_to_live(bench, project, 2 * rounds, apps + 1)
        started = time.monotonic()
        bench.inside("crowd.py", server.etc, "remove")
        progress(f"       and removed in {time.monotonic() - started:.0f} s")
        time.sleep(SETTLE_S)
        alone += pushes_to_live(bench, project, rounds, 1)
        return [
            compared(
                self.name,
                f"warm push to live, {apps} other apps",
                "s",
                among,
                alone,
                Target(Rule.RATIO_AT_MOST, 1.3),
                note="baseline: the same pushes with no other app",
            )
        ]
