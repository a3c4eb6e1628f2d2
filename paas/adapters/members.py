"""The processes that belong to an instance: those of its process groups and of its cgroups."""

import contextlib
import os
import select
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from paas.adapters.cgroups import Cgroups

_FIRST_PAUSE_S = 0.002
_LONGEST_PAUSE_S = 0.05
_KILLED_LIMIT_S = 5.0


@dataclass(frozen=True, slots=True)
class Members:
    """Process groups by their ids, and cgroups by their names; any may be gone already."""

    cgroups: Cgroups
    groups: frozenset[int]
    names: frozenset[str]

    def pids(self) -> set[int]:
        """The living processes; zombies hold nothing any more and do not count."""
        found = {pid for name in self.names for pid in self.cgroups.pids(name)}
        if self.groups:
            found |= {pid for pid in _all_pids() if _group_of(pid) in self.groups}
        return {pid for pid in found if not _is_zombie(pid)}

    def terminate_strays(self) -> None:
        """TERM to those that left the process groups, which have had theirs."""
        for pid in self.pids():
            if _group_of(pid) not in self.groups:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM)

    def wait(self, limit_s: float) -> bool:
        """Wait until no process is left; False where limit_s came first."""
        return wait_until(lambda: not self.pids(), limit_s)

    def kill(self) -> bool:
        """KILL until no process is left; False where some still are after a few seconds."""
        return wait_until(lambda: not self._kill_once(), _KILLED_LIMIT_S)

    def _kill_once(self) -> set[int]:
        for name in self.names:
            self.cgroups.kill(name)
        pids = self.pids()
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return pids

    def remove_cgroups(self) -> None:
        """Remove the cgroups, killing what may be left in them."""
        for name in self.names:
            self.cgroups.remove(name)


def end_group(pid: int, limit_s: float) -> None:
    """TERM to the process group of pid, its leader; KILL to it where pid has not ended in time.

    A descriptor keeps pid from meaning another process meanwhile.
    """
    with contextlib.suppress(ProcessLookupError):
        pidfd = os.pidfd_open(pid)
        try:
            os.killpg(pid, signal.SIGTERM)
            if not select.select([pidfd], [], [], limit_s)[0]:
                os.killpg(pid, signal.SIGKILL)
        finally:
            os.close(pidfd)


def wait_until(condition: Callable[[], bool], limit_s: float) -> bool:
    """Ask, at growing intervals of milliseconds, until it is so; False where limit_s came first."""
    deadline = time.monotonic() + limit_s
    pause_s = _FIRST_PAUSE_S
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(pause_s)
        pause_s = min(pause_s * 1.5, _LONGEST_PAUSE_S)
    return True


def _all_pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208 - fast


def _group_of(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None


def _is_zombie(pid: int) -> bool:
    """Whether it has ended and only waits for its parent (proc(5), third field of stat)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return True
    return stat[stat.rindex(b")") + 2 : stat.rindex(b")") + 3] in (b"Z", b"X")
