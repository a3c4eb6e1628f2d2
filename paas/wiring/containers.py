"""What the process `containers` needs of the rest: logs, pipes, the disk, and what is to run."""

from pathlib import Path

from paas.adapters.docker.unpacking import UnpackGuard
from paas.adapters.logs.app_logs import FileLogs
from paas.adapters.runtime.docker.records import Records
from paas.adapters.runtime.native.launch_specs import SpecPaths
from paas.adapters.system.clock import SystemClock
from paas.interfaces import Logs
from paas.settings import Settings


def app_logs(settings: Settings) -> Logs:
    """The logs of all apps."""
    return FileLogs(settings, SystemClock())


def records(settings: Settings) -> Records:
    """Which containers are to be kept running, and how often each has ended."""
    return Records(settings)


def pipe(settings: Settings, group: str, label: str) -> Path:
    """The pipe by which an instance's output reaches the log process."""
    return SpecPaths(settings).fifo(group, label)


def unpack_guard(settings: Settings) -> UnpackGuard:
    """Keeps half of what builds leave free, so that a build, which says why, comes first."""
    return UnpackGuard(settings, settings.min_free_mib * 1024**2 // 2)
