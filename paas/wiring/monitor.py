"""The adapters and services of the monitor process. They are a part of the server's."""

import pwd
from dataclasses import dataclass
from pathlib import Path

from paas.adapters.network.health import HttpProbe
from paas.adapters.runtime.native.scratch_keeper import ScratchKeeper
from paas.adapters.server.disk_meter import DiskMeter
from paas.adapters.server.disk_reserve import DiskReserve
from paas.adapters.system.bookmark_file import FileBookmark
from paas.adapters.system.locks import FlockLocks
from paas.adapters.system.schedules import CronSimSchedules
from paas.interfaces import Bookmark, Engines, HealthProbe, Locks, Reserve, Schedules, StoreRecovery
from paas.services.certificates.renewals import Renewals
from paas.services.releases.losses import Losses
from paas.services.runs.scheduler import Scheduler
from paas.services.server.liveness import Liveness
from paas.services.server.quotas import Quotas
from paas.settings import Settings
from paas.store.copies import Copies
from paas.store.recovery import DatabaseRecovery
from paas.wiring.common import CommonAdapters, common_adapters
from paas.wiring.engines import engines


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorAdapters(CommonAdapters):
    """What the monitor needs, too."""

    engines: Engines
    probe: HealthProbe
    locks: Locks
    schedules: Schedules
    bookmark: Bookmark
    reserve: Reserve
    store_recovery: StoreRecovery
    copies: Copies


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
        engines=engines(settings, common.clock),
        probe=HttpProbe(),
        locks=FlockLocks(settings.paths.locks, pwd.getpwnam(settings.account).pw_gid),
        schedules=CronSimSchedules(),
        bookmark=FileBookmark(settings.paths.cron),
        reserve=DiskReserve(settings.paths.reserve, settings.reserve_mib),
        store_recovery=DatabaseRecovery(database, common.store.database.keys),
        copies=Copies(database, common.store.database.keys),
    )


def liveness(adapters: MonitorAdapters) -> Liveness:
    """The liveness checks of all apps."""
    return Liveness(
        store=adapters.store,
        engines=adapters.engines,
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
        engines=adapters.engines,
    )


def renewals(adapters: CommonAdapters) -> Renewals:
    """Which certificates are due."""
    return Renewals(
        store=adapters.store,
        addresses=adapters.addresses,
        directory=adapters.settings.acme_directory,
    )


def quotas(adapters: CommonAdapters) -> Quotas:
    """How much members and their apps may have."""
    settings = adapters.settings
    return Quotas(store=adapters.store, disk=DiskMeter(settings.paths), defaults=settings.quotas)


def losses(adapters: CommonAdapters) -> Losses:
    """Reports of what was lost with a process."""
    return Losses(store=adapters.store, logs=adapters.logs)


def scratch_keeper(adapters: CommonAdapters) -> ScratchKeeper:
    """What sees throw-away layers fill and end. Opens its socket; raises OSError."""
    found = losses(adapters)
    return ScratchKeeper(adapters.settings.paths.monitor_socket, found.report, found.report_full)
