"""How much memory and CPU processes take: from proc(5), since a library for it takes a megabyte."""

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from paas.domain.releases.releases import Usage

_PSS = re.compile(rb"^Pss:\s+(\d+) kB$", re.MULTILINE)


class _Process(NamedTuple):
    memory_bytes: int
    cpu_s: float
    # After the start of the machine.
    started_s: float


def measured(pids: Mapping[str, Iterable[int]]) -> dict[str, Usage]:
    """The usage of named sets of processes; those that end meanwhile do not count.

    Shared memory is counted proportionally (PSS), so that the sum is what they use. CPU is that of
    ps(1), over their lifetimes: a sample would make the command wait.
    """
    return {name: _usage([*filter(None, map(_process, found))]) for name, found in pids.items()}


def _usage(found: list[_Process]) -> Usage:
    return Usage(
        sum(process.memory_bytes for process in found),
        100 * sum(process.cpu_s for process in found) / _age_s(found),
        len(found),
    )


def _age_s(processes: list[_Process]) -> float:
    """How long the oldest has lived, at least a hundredth of a second."""
    now = float(Path("/proc/uptime").read_text().split()[0])
    return max(0.01, now - min((process.started_s for process in processes), default=now))


def _process(pid: int) -> _Process | None:
    """None if it has ended."""
    tick = os.sysconf("SC_CLK_TCK")
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
        # From the third on: the second is the program's name, in which anything may be.
        fields = stat[stat.rindex(b")") + 2 :].split()
        cpu_s = (int(fields[11]) + int(fields[12])) / tick
        return _Process(_memory_bytes(pid), cpu_s, int(fields[19]) / tick)
    except OSError:
        return None


def _memory_bytes(pid: int) -> int:
    """Raises OSError if the process is gone."""
    try:
        found = _PSS.search(Path(f"/proc/{pid}/smaps_rollup").read_bytes())
        return 1024 * int(found[1]) if found else 0
    except (ProcessLookupError, PermissionError):  # a zombie, or one of another user
        pages = int(Path(f"/proc/{pid}/statm").read_bytes().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
