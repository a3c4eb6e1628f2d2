"""What Docker adds to the platform's memory, once and for each container."""

import time

from benchmarks.bench import Bench
from benchmarks.containers.bench import LIVE, Containers
from benchmarks.containers.memory import INIT, SHIM, docker_pss
from benchmarks.rows import Row, Rule, Target
from benchmarks.stats import slope

CONTAINERS = 10
SETTLE_S = 3.0
MIB = 1024 * 1024
FIXED = Target(Rule.VALUE_AT_MOST, 150)
EACH = Target(Rule.RATIO_AT_MOST, 1.2)


class ContainersMemory:
    """PSS; what containers themselves take is not counted, as for other apps."""

    name = "containers-memory"

    def measure(self, bench: Bench) -> list[Row]:
        """With one container, with more of the same app, and with more that are run by hand."""
        containers = bench.containers
        assert containers.live
        server, count = containers.server, bench.rounds(CONTAINERS)
        server.settle(1)
        server.rest()
        before = _settled(containers)
        containers.ssh("ps:scale", "-a", LIVE, f"web={1 + count}")
        server.settle(1 + count)
        ours = _settled(containers)
        containers.ssh("ps:scale", "-a", LIVE, "web=1")
        server.settle(1)
        plain = containers.by_hand
        plain.build()
        again = _settled(containers)
        try:
            plain.start_more(count)
            by_hand = _settled(containers)
        finally:
            plain.stop_more()
            plain.forget()
        fixed = {name: size for name, size in before.items() if name not in {SHIM, INIT}}
        return [
            Row(
                self.name,
                "memory that Docker adds (PSS)",
                "MiB",
                sum(fixed.values()) / MIB,
                None,
                FIXED,
                note=", ".join(f"{name} {size / MIB:.0f}" for name, size in fixed.items()),
            ),
            Row(
                "containers-memory-each",
                f"... for each container, over {count}",
                "MiB",
                slope(sum(before.values()), sum(ours.values()), count) / MIB,
                slope(sum(again.values()), sum(by_hand.values()), count) / MIB,
                EACH,
                note=f"{grown(before, ours, count)}; by hand: {grown(again, by_hand, count)}",
            ),
        ]


def grown(before: dict[str, int], after: dict[str, int], count: int) -> str:
    """By how much each kind of program grew for each container, as text."""
    each = {name: slope(size, after[name], count) / 1024 for name, size in before.items()}
    return ", ".join(f"{name} {size:+.0f} KiB" for name, size in each.items())


def _settled(containers: Containers) -> dict[str, int]:
    """A few seconds after the last change."""
    time.sleep(SETTLE_S)
    return docker_pss(containers.server)
