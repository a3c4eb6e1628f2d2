"""Process groups: who is in them, and their end. It imports little: supervisord uses it, too."""

import contextlib
import os
import signal
from collections.abc import Iterable

_LATE_S = 5.0


def group_members(group: int) -> set[int]:
    """The processes of a process group."""
    return {pid for pid in all_pids() if group_of(pid) == group}


def all_pids() -> list[int]:
    """Every process of the machine."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208 - fast


def group_of(pid: int) -> int | None:
    """Its process group; None if it is gone."""
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None


def terminate(pids: Iterable[int]) -> None:
    """Send TERM to each that still exists."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)


def late_s(limit_s: float) -> float:
    """How long before the KILL processes get TERM that their leader has not ended."""
    return min(_LATE_S, limit_s / 4)
