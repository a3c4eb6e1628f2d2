"""Waits for a moment when the machine is idle."""

import time
from pathlib import Path

LOOK_S = 0.25
IDLE_SHARE = 0.9
LIMIT_S = 6.0


def wait_for_quiet() -> None:
    """Return when the processors were idle for a moment, or at a time limit."""
    deadline = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline:
        idle, total = _jiffies()
        time.sleep(LOOK_S)
        idle_later, total_later = _jiffies()
        if idle_later - idle >= IDLE_SHARE * (total_later - total):
            return


def _jiffies() -> tuple[int, int]:
    """Idle time and all time of all processors so far (proc(5), /proc/stat)."""
    first = Path("/proc/stat").read_text().partition("\n")[0]
    times = [int(word) for word in first.split()[1:9]]
    return times[3] + times[4], sum(times)
