"""The adapters and services of the monitor process. They are a part of the server's."""

import pwd
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from paas.adapters.network.health import HttpProbe
from paas.adapters.runtime.native.cgroups import Cgroups
from paas.adapters.runtime.native.run_records import RunRecords
from paas.adapters.runtime.native.runtime import NativeRuntime
from paas.adapters.runtime.native.scratch_keeper import ScratchKeeper
from paas.adapters.server.disk_reserve import DiskReserve
from paas.adapters.supervisor.client import Supervisor
from paas.adapters.system.bookmark_file import FileBookmark
from paas.adapters.system.locks import FlockLocks
from paas.adapters.system.schedules import CronSimSchedules
from paas.domain.runs.runs import Run
from paas.interfaces import Bookmark, HealthProbe, Locks, Reserve, Runtime, Schedules, StoreRecovery
from paas.services.certificates.renewals import Renewals
from paas.services.releases.losses import Losses
from paas.services.runs.scheduler import Scheduler
from paas.services.server.liveness import Liveness
from paas.settings import Settings
from paas.store.copies import Copies
from paas.store.recovery import DatabaseRecovery
from paas.wiring.common import CommonAdapters, common_adapters


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorAdapters(CommonAdapters):
    """running: the one-off processes of an app that run now."""

    runtime: Runtime
    probe: HealthProbe
    locks: Locks
    schedules: Schedules
    bookmark: Bookmark
    running: Callable[[int], list[Run]]
    reserve: Reserve
    store_recovery: StoreRecovery
    copies: Copies


def supervisor(settings: Settings) -> Supervisor:
    """The server's supervisord."""
    return Supervisor(settings.paths.supervisor_socket)


def _native_runtime(settings: Settings) -> Runtime:
    return NativeRuntime(settings, supervisor(settings), Cgroups(settings))


RUNTIMES: dict[str, Callable[[Settings], Runtime]] = {"native": _native_runtime}


def monitor_adapters(settings: Settings, database: Path | None = None) -> MonitorAdapters:
    """For one thread of the monitor. Opens nothing. database: see common_adapters."""
    common = common_adapters(settings, database)
    database = common.store.database.path
    return MonitorAdapters(
        settings=settings,
        addresses=common.addresses,
        clock=common.clock,
        store=common.store,
        logs=common.logs,
        runtime=RUNTIMES["native"](settings),
        probe=HttpProbe(),
        locks=FlockLocks(settings.paths.locks, pwd.getpwnam(settings.account).pw_gid),
        schedules=CronSimSchedules(),
        bookmark=FileBookmark(settings.paths.cron),
        running=RunRecords(settings.paths.runs).listing,
        reserve=DiskReserve(settings.paths.reserve, settings.reserve_mib),
        store_recovery=DatabaseRecovery(database),
        copies=Copies(database),
    )


def liveness(adapters: MonitorAdapters) -> Liveness:
    """The liveness checks of all apps."""
    return Liveness(
        store=adapters.store,
        runtime=adapters.runtime,
        probe=adapters.probe,
        locks=adapters.locks,
        logs=adapters.logs,
        clock=adapters.clock,
        addresses=adapters.addresses,
        limits=adapters.settings.start_limits,
        stop_limit_s=adapters.settings.stop_limit_s,
    )


def scheduler(adapters: MonitorAdapters) -> Scheduler:
    """Which cron jobs are due."""
    return Scheduler(
        store=adapters.store,
        schedules=adapters.schedules,
        bookmark=adapters.bookmark,
        logs=adapters.logs,
        clock=adapters.clock,
        running=adapters.running,
    )


def renewals(adapters: CommonAdapters) -> Renewals:
    """Which certificates are due."""
    return Renewals(
        store=adapters.store,
        addresses=adapters.addresses,
        directory=adapters.settings.acme_directory,
    )


def losses(adapters: CommonAdapters) -> Losses:
    """Reports of what was lost with a process."""
    return Losses(store=adapters.store, logs=adapters.logs)


def scratch_keeper(adapters: CommonAdapters) -> ScratchKeeper:
    """What sees throw-away layers fill and end. Opens its socket; raises OSError."""
    found = losses(adapters)
    return ScratchKeeper(adapters.settings.paths.monitor_socket, found.report, found.report_full)
