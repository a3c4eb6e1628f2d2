"""The start of an isolated process: the launcher, and a command that ends at once."""

import json

from benchmarks.alternating import alternately
from benchmarks.bench import Bench
from benchmarks.commands import ENVIRONMENT, timed
from benchmarks.rows import Row, Rule, Target, compared

ROUNDS = 60
PYTHON = ("/usr/bin/python3", "-I", "-S")
TRUE = "/bin/true"


class Start:
    """Against the same Python that executes the same program at once."""

    name = "start"

    def measure(self, bench: Bench) -> list[Row]:
        """Start /bin/true alternately, with the launch spec of the live instance."""
        assert bench.live
        bench.server.settle(1)
        run = bench.server.root / "run"
        (live,) = (run / "specs").glob("*.json")
        # Without what belongs to the instance: its cgroups, whose processes would end, and its log.
        changes = {
            "argv": [TRUE],
            "cgroups": [],
            **dict.fromkeys(("log_fifo", "app_log", "crash_file", "keeper")),
        }
        spec = bench.folder("start") / "spec.json"
        spec.write_text(json.dumps(json.loads(live.read_text()) | changes))
        launch = bench.server.root / "opt/current/paas/entrypoints/launch.py"
        plain = [*PYTHON, "-c", f"import os; os.execv({TRUE!r}, [{TRUE!r}])"]
        found = alternately(
            bench.rounds(ROUNDS),
            lambda: 1000 * timed([*PYTHON, launch, spec], env=ENVIRONMENT),
            lambda: 1000 * timed(plain, env=ENVIRONMENT),
        )
        title = "start of an isolated process"
        return [compared(self.name, title, "ms", found.ours, found.plain, Target(Rule.NONE))]
