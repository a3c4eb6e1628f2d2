"""What the checks of key, user and permission add to a command."""

import json

from benchmarks.bench import Bench
from benchmarks.quiet import wait_for_quiet
from benchmarks.rows import Row, Rule, Target, compared

ROUNDS = 500
TARGET_MS = 1.0


class Permissions:
    """Against reading that there is such an app, which a command would do anyway."""

    name = "permissions"

    def measure(self, bench: Bench) -> list[Row]:
        """In the server's own Python, on its store."""
        wait_for_quiet()
        rounds = str(bench.rounds(ROUNDS))
        found = json.loads(bench.inside("permissions.py", bench.server.etc, rounds))
        return [
            compared(
                self.name,
                "checks of key, user and permission, per command",
                "ms",
                found["ours"],
                found["baseline"],
                Target(Rule.VALUE_AT_MOST, TARGET_MS),
                note="an app shared with 50 users and 20 teams; baseline: one row of the store",
            )
        ]
