"""The platform's memory, in addition to that of the apps."""

import time
from contextlib import suppress
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.rows import Row, Rule, Target
from benchmarks.server import Server, descendants, pss_bytes, supervisord, words_of
from benchmarks.stats import slope

APPS = 100
SETTLE_S = 3.0
MIB = 1024 * 1024


class Memory:
    """PSS (proc(5), smaps_rollup): shared pages are split among the processes that share them."""

    name = "memory"

    def measure(self, bench: Bench) -> list[Row]:
        """The platform's own processes with one app, and with many more."""
        assert bench.live
        bench.server.settle(1)
        bench.server.rest()
        time.sleep(SETTLE_S)
        before = platform_pss(bench.server)
        count = bench.rounds(APPS)
        bench.inside("crowd.py", bench.server.etc, "add", str(count))
        time.sleep(SETTLE_S)
        after = platform_pss(bench.server)
        extra = processes_beyond(bench.server, count)
        bench.inside("crowd.py", bench.server.etc, "remove")
        fixed_mib = sum(before.values()) / MIB
        per_app = slope(sum(before.values()), sum(after.values()), count) / MIB
        shares = ", ".join(f"{name} {size / MIB:.0f}" for name, size in sorted(before.items()))
        grown = ", ".join(
            f"{name} {(after[name] - size) / count / 1024:+.0f} KiB"
            for name, size in sorted(before.items())
        )
        flaws = (f"{extra} processes beyond the apps' own",) if extra else ()
        return [
            Row(
                "memory-fixed",
                "memory that the platform adds (PSS)",
                "MiB",
                fixed_mib,
                None,
                Target(Rule.VALUE_AT_MOST, 120 * 1e6 / MIB),
                note=shares,
            ),
            Row(
                "memory-per-app",
                f"... for each app, over {count} apps",
                "MiB",
                per_app,
                None,
                Target(Rule.VALUE_AT_MOST, 1e6 / MIB),
                note=grown,
                flaws=flaws,
            ),
        ]


def platform_pss(server: Server) -> dict[str, int]:
    """The bytes of each program that the server runs, except the apps themselves."""
    found: dict[str, int] = {}
    for pid in descendants(supervisord(server.root)):
        try:
            if Path(f"/proc/{pid}").stat().st_uid in server.uids:
                continue
            name = _name(pid)
        except OSError:
            continue
        found[name] = found.get(name, 0) + pss_bytes([pid])
    return found


def processes_beyond(server: Server, crowd: int) -> int:
    """The number of processes with an app's uid, not counting one perl for each crowd app and the
    Gunicorns of the live app."""
    commands = []
    for pid in descendants(supervisord(server.root)):
        with suppress(OSError):  # it has ended
            if Path(f"/proc/{pid}").stat().st_uid in server.uids:
                commands.append(" ".join(words_of(pid)))
    others = [c for c in commands if "gunicorn" not in c and "perl" not in c]
    return len(others) + sum("perl" in c for c in commands) - crowd


def _name(pid: int) -> str:
    words = " ".join(words_of(pid))
    for known in ("supervisord", "logger", "gate", "nginx", "sshd"):
        if known in words:
            return known
    return Path(f"/proc/{pid}/comm").read_text().strip()
