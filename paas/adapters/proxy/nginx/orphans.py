"""Nginx workers whose master was killed: they keep its ports and serve its former files.

Until they are gone the next nginx cannot listen, and its configuration is not served.
"""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from paas.adapters.proxy.nginx.process import SERVING, SHUTTING_DOWN, process_title
from paas.settings import Settings

WAIT_S = 5.0
POLL_S = 0.01
SYSTEM_LOG = Path("/var/log/nginx/error.log")


def shut_down_orphans(settings: Settings) -> None:
    """Make this server's orphans close their ports; they finish the requests that they have."""
    deadline = time.monotonic() + WAIT_S
    while serving := {pid for pid in _orphans(settings) if process_title(pid) != SHUTTING_DOWN}:
        for pid in serving:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGQUIT)
        if time.monotonic() > deadline:
            return
        time.sleep(POLL_S)


def kill_orphans(settings: Settings) -> None:
    """Kill this server's orphans."""
    for pid in _orphans(settings):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _orphans(settings: Settings) -> set[int]:
    pids = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return {
        pid
        for pid in pids
        if process_title(pid) in {SERVING, SHUTTING_DOWN}
        and not process_title(_parent(pid)).startswith("nginx: master process")
        and _is_ours(pid, settings)
    }


def _is_ours(pid: int, settings: Settings) -> bool:
    """Whether it has a log of this server open."""
    logs = str(settings.paths.logs) + "/"
    return any(
        target.startswith(logs) or (not settings.embedded and target == str(SYSTEM_LOG))
        for target in _open_files(pid)
    )


def _open_files(pid: int) -> Iterator[str]:
    """The targets of its descriptors; a busy worker closes some while they are read."""
    with suppress(OSError):
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(FileNotFoundError):
                yield str(descriptor.readlink())


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0
