"""How much memory and CPU processes take."""

import contextlib
import time
from collections.abc import Iterable, Mapping

import psutil

from paas.domain.releases import Usage

# The kernel counts CPU time in steps of 10 ms: over this time one step is 4 %.
SAMPLE_S = 0.25


def measured(pids: Mapping[str, Iterable[int]]) -> dict[str, Usage]:
    """The usage of named sets of processes; those that end meanwhile do not count.

    Memory that processes share counts in parts (PSS), so that the sum is what they take.
    """
    processes = {name: _processes(found) for name, found in pids.items()}
    if not processes:
        return {}
    started = time.monotonic()
    before = {name: _cpu_s(found) for name, found in processes.items()}
    time.sleep(SAMPLE_S)
    elapsed_s = time.monotonic() - started
    return {
        name: Usage(
            sum(_memory_bytes(process) for process in found),
            max(0.0, 100 * (_cpu_s(found) - before[name]) / elapsed_s),
            len(found),
        )
        for name, found in processes.items()
    }


def _processes(pids: Iterable[int]) -> list[psutil.Process]:
    found = []
    for pid in pids:
        with contextlib.suppress(psutil.Error):
            found.append(psutil.Process(pid))
    return found


def _cpu_s(processes: Iterable[psutil.Process]) -> float:
    total_s = 0.0
    for process in processes:
        with contextlib.suppress(psutil.Error):
            times = process.cpu_times()
            total_s += times.user + times.system
    return total_s


def _memory_bytes(process: psutil.Process) -> int:
    with contextlib.suppress(psutil.Error, OSError):
        return int(process.memory_full_info().pss)
    with contextlib.suppress(psutil.Error):
        return int(process.memory_info().rss)
    return 0
