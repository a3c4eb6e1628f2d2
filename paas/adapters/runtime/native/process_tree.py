"""The processes of an instance: those of its process groups and of its cgroups."""

import contextlib
import os
import re
import select
import signal
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from paas.adapters.runtime.native.process_groups import (
    all_pids,
    group_members,
    group_of,
    late_s,
    terminate,
)

if TYPE_CHECKING:
    from paas.adapters.runtime.native.cgroups import Cgroups

_FIRST_PAUSE_S = 0.002
_LONGEST_PAUSE_S = 0.05
_KILLED_LIMIT_S = 5.0
# How long the ends of known processes are waited for before all are looked for again, and of how
# many: each takes a descriptor.
_LONGEST_WAIT_S = 0.2
_WATCHED_MAX = 64


@dataclass(frozen=True, slots=True)
class Members:
    """Process groups by their ids, and cgroups by their names; any may be gone already."""

    cgroups: "Cgroups"
    groups: frozenset[int]
    names: frozenset[str]

    def pids(self) -> set[int]:
        """The living processes; zombies hold no resources and do not count."""
        found = {pid for name in self.names for pid in self.cgroups.pids(name)}
        if self.groups:
            found |= {pid for pid in all_pids() if group_of(pid) in self.groups}
        return living(found)

    def signal(self, number: signal.Signals) -> bool:
        """Signal each of them; returns whether there was any."""
        pids = self.pids()
        tell(pids, number)
        return bool(pids)

    def wait(self, limit_s: float) -> bool:
        """Wait until no process is left; False if limit_s passed first."""
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


def living(pids: Iterable[int]) -> set[int]:
    """Those that have not ended."""
    return {pid for pid in pids if not _is_zombie(pid)}


def tell(pids: Iterable[int], number: signal.Signals) -> None:
    """Signal each of them except those in their own PID namespace: the launcher passes it on."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            if not _is_separate(pid):
                os.kill(pid, number)


def end_gracefully(each: Sequence[Members], limit_s: float) -> bool:
    """Wait until no process of any is left; False if limit_s passed first.

    The leaders of the groups have had their TERM, and end what they started as they see fit:
    signalling the children as well would lose jobs. When a leader has ended, supervisord signals
    its group (paas/adapters/supervisor/stops.py), and this function whatever left the group.
    Shortly before the limit everything that is left is signalled, except the leaders.

    Looking for processes means reading all of /proc. So that happens when one has ended, and not
    every few milliseconds for as long as twenty apps take to stop.
    """
    deadline = time.monotonic() + limit_s
    late = deadline - late_s(limit_s)
    untold = set(range(len(each)))

    def look() -> set[int]:
        left: set[int] = set()
        for number, members in enumerate(each):
            pids = members.pids()
            left |= pids
            if number not in untold:
                continue
            if not pids & members.groups:
                untold.remove(number)
                terminate({pid for pid in pids if group_of(pid) not in members.groups})
            elif time.monotonic() >= late:
                untold.remove(number)
                terminate(pids - members.groups)
        return left

    pause_s = _FIRST_PAUSE_S
    while left := look():
        now = time.monotonic()
        if now >= deadline:
            return False
        _await_an_end(left, min(_LONGEST_WAIT_S, (late if now < late else deadline) - now))
        time.sleep(pause_s)
        pause_s = min(pause_s * 1.5, _LONGEST_PAUSE_S)
    return True


def _await_an_end(pids: set[int], limit_s: float) -> None:
    """Wait until one of them has ended, at most for limit_s."""
    poll, fds = select.poll(), list[int]()
    try:
        for pid in islice(pids, _WATCHED_MAX):
            fds.append(os.pidfd_open(pid))
            poll.register(fds[-1], select.POLLIN)
        poll.poll(limit_s * 1000)
    except OSError:
        return  # one is gone, or there is no descriptor left
    finally:
        for fd in fds:
            os.close(fd)


def end_group(pid: int, limit_s: float) -> None:
    """TERM to pid, shortly before the limit to its process group; KILL to that in the end.

    A descriptor keeps pid, which leads the group, from meaning another process meanwhile.
    """
    with contextlib.suppress(ProcessLookupError):
        pidfd = os.pidfd_open(pid)
        try:
            os.kill(pid, signal.SIGTERM)
            if select.select([pidfd], [], [], limit_s - late_s(limit_s))[0]:
                return
            terminate(group_members(pid) - {pid})
            if not select.select([pidfd], [], [], late_s(limit_s))[0]:
                os.killpg(pid, signal.SIGKILL)
        finally:
            os.close(pidfd)


def wait_until(condition: Callable[[], bool], limit_s: float) -> bool:
    """Poll, at growing intervals of milliseconds; False if limit_s passed first."""
    deadline = time.monotonic() + limit_s
    pause_s = _FIRST_PAUSE_S
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(pause_s)
        pause_s = min(pause_s * 1.5, _LONGEST_PAUSE_S)
    return True


def _is_zombie(pid: int) -> bool:
    """Whether it has ended and only waits for its parent (proc(5), third field of stat)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return True
    return stat[stat.rindex(b")") + 2 : stat.rindex(b")") + 3] in (b"Z", b"X")


def _is_separate(pid: int) -> bool:
    """Whether it also has a pid in a namespace below ours (proc(5), NSpid of status)."""
    try:
        status = Path(f"/proc/{pid}/status").read_bytes()
    except OSError:
        return False
    found = re.search(rb"^NSpid:(.*)$", status, re.MULTILINE)
    return found is not None and len(found[1].split()) > 1
