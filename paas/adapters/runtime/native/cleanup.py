"""Cleans up after a server's supervisor has gone: processes and cgroups."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from paas.adapters.proxy.nginx.orphans import kill_orphans
from paas.adapters.runtime.native.cgroups import Cgroups, pids_below
from paas.domain.values.errors import PaasError
from paas.settings import Settings

KILL_LIMIT_S = 10.0


def clear(settings: Settings) -> None:
    """Kill every process of this server (ssh sessions and deploys too) and remove its cgroups.

    Raises PaasError if one does not end.
    """
    kill_orphans(settings)
    tops = [hierarchy.path for hierarchy in Cgroups(settings).hierarchies()]
    deadline = time.monotonic() + KILL_LIMIT_S
    while left := _members(tops) | set(_of_uids(*settings.uids)):
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() > deadline:
            raise PaasError(
                "not-stopped", f"These processes were killed but have not ended: {left}."
            )
        time.sleep(0.01)
    for top in tops:
        for directory, _names, _files in os.walk(top, topdown=False):
            # systemd's own directory stays with systemd.
            with suppress(OSError):
                Path(directory).rmdir()


def _members(tops: list[Path]) -> set[int]:
    """Every other process in these cgroups and those below."""
    found = {pid for top in tops for pid in pids_below(top)}
    return {pid for pid in found - {os.getpid()} if not _is_zombie(pid)}


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (OSError, IndexError):
        return True


def _of_uids(first: int, last: int) -> Iterator[int]:
    for path in Path("/proc").iterdir():
        if path.name.isdigit():
            with suppress(OSError):
                if first <= path.stat().st_uid <= last and not _is_zombie(int(path.name)):
                    yield int(path.name)
