"""The counters of an instance's cgroups: the CPU time and the memory of all its processes.

They cost a few small reads, unlike the usage that `ps` shows (usage.py).
"""

import os
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from paas.adapters.runtime.native.cgroup_limits import MEMORY
from paas.adapters.runtime.native.cgroup_places import CPU, Hierarchy
from paas.adapters.runtime.native.cgroups import pids_below

_USAGE_US = re.compile(r"^usage_usec (\d+)$", re.MULTILINE)
# What the kernel drops when somebody needs memory: copies of files.
_FILES = re.compile(r"^(?:inactive|active)_file (\d+)$", re.MULTILINE)
_FILES_V1 = re.compile(r"^total_(?:inactive|active)_file (\d+)$", re.MULTILINE)


def cpu_ms(places: Iterable[Hierarchy], name: str) -> int:
    """The CPU time of a cgroup; where only v1 has it, that of the processes that are in it."""
    of_cpu = [place for place in places if CPU in place.controllers]
    for place in of_cpu:
        if place.unified:
            with suppress(OSError):
                return cpu_ms_of(place.path / name)
    ticks = os.sysconf("SC_CLK_TCK")
    for place in of_cpu:
        if pids := pids_below(place.path / name):
            return sum(_ticks(pid) for pid in pids) * 1_000 // ticks
    return 0


def cpu_ms_of(cgroup: Path) -> int:
    """The CPU time of a cgroup of v2. Raises OSError."""
    found = _USAGE_US.search((cgroup / "cpu.stat").read_text())
    return int(found[1]) // 1_000 if found else 0


def memory_kib(places: Iterable[Hierarchy], name: str) -> int:
    """The memory of a cgroup, without copies of files; 0 where it is not counted."""
    for place in places:
        if MEMORY in place.controllers:
            with suppress(OSError):
                return memory_kib_of(place.path / name, unified=place.unified)
    return 0


def memory_kib_of(cgroup: Path, *, unified: bool) -> int:
    """The memory of a cgroup, without copies of files. Raises OSError."""
    usage = cgroup / ("memory.current" if unified else "memory.usage_in_bytes")
    stat = (cgroup / "memory.stat").read_text()
    files = sum(map(int, (_FILES if unified else _FILES_V1).findall(stat)))
    return max(0, int(usage.read_text()) - files) // 1_024


def _ticks(pid: int) -> int:
    """The CPU time of a process, and of its children that have ended; proc(5)."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0
    return sum(map(int, text.rpartition(")")[2].split()[11:15]))
