"""How much memory and CPU processes take."""

import contextlib
import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from paas.domain.releases.releases import Usage

if TYPE_CHECKING:
    import psutil


def load() -> None:
    """Import what it takes, before a command asks; the monitor, which never asks, does without."""
    import psutil  # noqa: F401 - it stays loaded


def measured(pids: Mapping[str, Iterable[int]]) -> dict[str, Usage]:
    """The usage of named sets of processes; those that end meanwhile do not count.

    Shared memory is counted proportionally (PSS), so that the sum is what they use. CPU is that of
    ps(1), over their lifetimes: a sample would make the command wait.
    """
    processes = {name: _processes(found) for name, found in pids.items()}
    return {
        name: Usage(
            sum(_memory_bytes(process) for process in found),
            100 * _cpu_s(found) / _age_s(found),
            len(found),
        )
        for name, found in processes.items()
    }


def _processes(pids: Iterable[int]) -> list["psutil.Process"]:
    import psutil

    found = []
    for pid in pids:
        with contextlib.suppress(psutil.Error):
            found.append(psutil.Process(pid))
    return found


def _cpu_s(processes: Iterable["psutil.Process"]) -> float:
    import psutil

    total_s = 0.0
    for process in processes:
        with contextlib.suppress(psutil.Error):
            times = process.cpu_times()
            total_s += times.user + times.system
    return total_s


def _age_s(processes: Iterable["psutil.Process"]) -> float:
    """How long the oldest has lived, at least a hundredth of a second."""
    import psutil

    oldest = now = time.time()
    for process in processes:
        with contextlib.suppress(psutil.Error):
            oldest = min(oldest, process.create_time())
    return max(0.01, now - oldest)


def _memory_bytes(process: "psutil.Process") -> int:
    import psutil

    with contextlib.suppress(psutil.Error, OSError):
        return int(process.memory_full_info().pss)
    with contextlib.suppress(psutil.Error):
        return int(process.memory_info().rss)
    return 0
