"""The limits in the files of cgroups, v2 and v1: their names, and reading memory from them.

https://docs.kernel.org/admin-guide/cgroup-v2.html, https://docs.kernel.org/admin-guide/cgroup-v1/
"""

import contextlib
import os
import re
from pathlib import Path

# The controller.
MEMORY = "memory"
_MIB = 1_048_576
_OOM_KILLS = re.compile(r"^oom_kill (\d+)$", re.MULTILINE)
# More than any machine has: v1 shows a huge number if there is no limit.
_NO_LIMIT = 2**60
# The CFS period, the kernel's default. A CPU limit is a share of it.
_CPU_PERIOD_US = 100_000
V1_CPU_FILE = "cpu.shares"
# The most that was used since 0 was written there.
V1_MEMORY_PEAK = "memory.max_usage_in_bytes"


def memory_limits(place: Path, limit_mib: int, *, unified: bool, may_swap: bool) -> dict[str, str]:
    """place: a cgroup of the hierarchy.

    Unless it may swap, it gets no swap, which would defeat the limit; v1 counts memory and swap
    together, if the kernel supports that.
    """
    limit = str(limit_mib * _MIB)
    file, swap_file, swap = (
        ("memory.max", "memory.swap.max", "0")
        if unified
        else ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes", limit)
    )
    counts_swap = not may_swap and (place / swap_file).exists()
    return {file: limit} | ({swap_file: swap} if counts_swap else {})


def cpu_limits(milli: int, *, unified: bool) -> dict[str, str]:
    """How many microseconds of each period all processes together may run for.

    milli: thousandths of a core.
    """
    quota = str(milli * _CPU_PERIOD_US // 1_000)
    if unified:
        return {"cpu.max": f"{quota} {_CPU_PERIOD_US}"}
    return {"cpu.cfs_period_us": str(_CPU_PERIOD_US), "cpu.cfs_quota_us": quota}


def cpu_weight(weight: int, *, unified: bool) -> dict[str, str]:
    """The part of a busy CPU, beside other cgroups. weight: 100 is the kernel's default."""
    return {"cpu.weight": str(weight)} if unified else {V1_CPU_FILE: str(v1_shares(weight))}


def v1_shares(weight: int) -> int:
    """The shares of cgroup v1, where the default is 1,024, of a weight of v2."""
    return weight * 1_024 // 100


def machine_mib(place: Path, *, unified: bool) -> int:
    """The memory of the machine, or of the container that the server runs in.

    place: the server's cgroup, which may have a limit itself (MemoryMax of its unit), as may its
    parents.
    """
    found = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // _MIB]
    for each in (place, *place.parents):
        with contextlib.suppress(OSError):  # the top of v2 has no such file
            if limit_mib := memory_limit_mib(each, unified=unified):
                found.append(limit_mib)
    return min(found)


def memory_limit_mib(cgroup: Path, *, unified: bool) -> int:
    """The memory limit of a cgroup; 0: none. Raises OSError if it does not count memory."""
    file = "memory.max" if unified else "memory.limit_in_bytes"
    text = (cgroup / file).read_text().strip()
    size_bytes = _NO_LIMIT if text == "max" else int(text)
    return 0 if size_bytes >= _NO_LIMIT else size_bytes // _MIB


def memory_kills(cgroup: Path, *, unified: bool) -> int:
    """How many processes of a cgroup the kernel killed for lack of memory.

    Raises OSError where memory is not counted by it.
    """
    file = "memory.events" if unified else "memory.oom_control"
    found = _OOM_KILLS.search((cgroup / file).read_text())
    return int(found[1]) if found else 0
