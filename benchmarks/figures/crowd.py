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
    """With 300 other apps' programs and sites, against none: before them, and after them again."""

    name = "crowd"

    def measure(self, bench: Bench) -> list[Row]:
        """Push alone, put up the crowd, push, take it down, push alone again."""
        project, server = bench.live, bench.server
        rounds, apps = bench.rounds(ROUNDS), bench.apps(APPS)
        server.settle(1)
        alone = pushes_to_live(bench, project, rounds, 1)
        started = time.monotonic()
        bench.inside("crowd.py", server.etc, "add", str(apps))
        progress(f"       {apps} apps put up in {time.monotonic() - started:.0f} s")
        time.sleep(SETTLE_S)
        among = pushes_to_live(bench, project, 2 * rounds, apps + 1)
        started = time.monotonic()
        bench.inside("crowd.py", server.etc, "remove")
        progress(f"       and taken down in {time.monotonic() - started:.0f} s")
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
