"""The launcher's part that deals with cgroups: empty them, limit them, join them.

The spec names the directories, which paas/adapters/runtime/native/cgroups.py decides.
Standard library only.
"""

import os
import time

from paas.entrypoints.launcher.files import write_file

KILL_LIMIT_S = 5.0
_SIGKILL = 9

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Spec = dict[str, Any]


def enter_cgroups(cgroups: "list[Spec]") -> None:
    """Make, empty, limit and join the cgroups."""
    for cgroup in cgroups:
        path = cgroup["path"]
        os.makedirs(path, 0o755, exist_ok=True)
        kill_all(path)
    for cgroup in cgroups:
        path = cgroup["path"]
        for name, value in cgroup["limits"].items():
            write_file(f"{path}/{name}", str(value))
        _join(path)


def _join(path: str) -> None:
    """Move this process, which is single-threaded, into a cgroup.

    cgroup.procs waits until no process forks or exits (an RCU grace period, 5 to 20 ms); the
    ``tasks`` of cgroup v1 does not for the writing thread itself (cgroup_procs_write_start in
    Linux's kernel/cgroup/cgroup.c). v2 has no such file.
    """
    try:
        write_file(f"{path}/tasks", "0")
    except FileNotFoundError:
        write_file(f"{path}/cgroup.procs", "0")


def kill_all(cgroup: str) -> None:
    """Kill every process of a cgroup, and wait until it is empty. Raises OSError after a limit.

    cgroup.kill needs Linux 5.14 and cgroup v2; otherwise pids.max keeps processes from forking
    meanwhile.
    """
    pids = _pids(cgroup)
    if not pids:
        return
    try:
        write_file(f"{cgroup}/pids.max", "0")
    except OSError:
        pass
    deadline = time.monotonic() + KILL_LIMIT_S
    while pids:
        if time.monotonic() > deadline:
            raise OSError(f"processes of the former start do not end: {pids[:10]}")
        try:
            write_file(f"{cgroup}/cgroup.kill", "1")
        except OSError:
            for pid in pids:
                try:
                    os.kill(pid, _SIGKILL)
                except ProcessLookupError:
                    pass
        time.sleep(0.002)
        pids = _pids(cgroup)


def _pids(cgroup: str) -> "list[int]":
    with open(f"{cgroup}/cgroup.procs") as file:
        return [int(line) for line in file]
