"""The adapters and services of the monitor process. They are a part of the server's."""

import pwd
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from paas.adapters.backups.settings_file import FileBackupSettings
from paas.adapters.builds.uploads import UploadFiles
from paas.adapters.certificates.order_turns import FlockOrderTurns
from paas.adapters.certificates.web_certificate import WebCertificateDirectory
from paas.adapters.cluster.registry_record import has_registry
from paas.adapters.cluster.troubles import FileNodeTroubles
from paas.adapters.datastores.log_trimming import DatastoreLogTrimming
from paas.adapters.datastores.mysql.read_only import MariadbReadOnly
from paas.adapters.datastores.postgresql.archive import PgBackRestArchives
from paas.adapters.datastores.postgresql.follower_standings import PostgresqlStandings
from paas.adapters.datastores.postgresql.read_only import PostgresqlReadOnly
from paas.adapters.datastores.redis.read_only import RedisReadOnly
from paas.adapters.metrics.files import MetricsDirectory
from paas.adapters.metrics.router_counter import RouterCounter
from paas.adapters.network.health import HttpProbe
from paas.adapters.notifications.ledger_file import LedgerFile
from paas.adapters.notifications.notifier import NotifierProcess
from paas.adapters.runtime.native.cgroups import Cgroups
from paas.adapters.runtime.native.refused_forks import RefusedForks
from paas.adapters.runtime.native.scratch_keeper import ScratchKeeper
from paas.adapters.server.alarm_command import SetAlarmCommand
from paas.adapters.server.disk_meter import DiskMeter
from paas.adapters.server.disk_reserve import DiskReserve
from paas.adapters.system.bookmark_file import FileBookmark
from paas.adapters.system.locks import FlockLocks
from paas.adapters.system.schedules import CronSimSchedules
from paas.domain.certificates.acme import why_not
from paas.domain.certificates.web import certified_hosts
from paas.domain.datastores.kinds import DatastoreKind
from paas.interfaces import (
    AuditTrail,
    BackupSettings,
    Bookmark,
    DatastoreArchives,
    Disk,
    Engines,
    FollowerStandings,
    HealthProbe,
    Locks,
    LogTrimming,
    MetricsFiles,
    Notifier,
    OrderTurns,
    ReadOnlySwitch,
    Reserve,
    Schedules,
    StoreRecovery,
    Uploads,
    WebCertificateFiles,
)
from paas.services.certificates.renewals import Renewals
from paas.services.certificates.web_due import WebCertificateDue
from paas.services.certificates.wildcard_due import WildcardDue
from paas.services.cluster.images import NodeImages
from paas.services.datastores.archives.schedule import ArchiveSchedule
from paas.services.datastores.archives.watch import ArchiveWatch
from paas.services.datastores.dumps.schedules import DumpSchedules
from paas.services.datastores.following.watch import FollowerWatch
from paas.services.datastores.read_only_turn import ReadOnlyTurn
from paas.services.metrics.collector import Collector
from paas.services.notifications.watch import Watch
from paas.services.releases.losses import Losses
from paas.services.runs.scheduler import Scheduler
from paas.services.server.alarms import Alarms
from paas.services.server.liveness import Liveness
from paas.services.server.quotas import Quotas
from paas.settings import Settings
from paas.store.copies import Copies
from paas.store.recovery import DatabaseRecovery
from paas.wiring.common import CommonAdapters, audit_files, common_adapters
from paas.wiring.engines import engines, supervisor


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorAdapters(CommonAdapters):
    """What the monitor needs, too."""

    engines: Engines
    probe: HealthProbe
    locks: Locks
    schedules: Schedules
    bookmark: Bookmark
    reserve: Reserve
    audit_trail: AuditTrail
    uploads: Uploads
    store_recovery: StoreRecovery
    copies: Copies
    backup_settings: BackupSettings
    datastore_archives: Mapping[DatastoreKind, DatastoreArchives]
    disk: Disk
    read_only_switches: Mapping[DatastoreKind, ReadOnlySwitch]
    follower_standings: Mapping[DatastoreKind, FollowerStandings]
    metrics_files: MetricsFiles
    notifier: Notifier


def monitor_adapters(settings: Settings, database: Path | None = None) -> MonitorAdapters:
    """For one thread of the monitor. Opens nothing. database: see common_adapters."""
    common = common_adapters(settings, database)
    backup_settings = FileBackupSettings(settings.paths)
    database = common.store.database.path
    return MonitorAdapters(
        settings=settings,
        addresses=common.addresses,
        clock=common.clock,
        store=common.store,
        logs=common.logs,
        engines=engines(settings, common.clock, common.store),
        probe=HttpProbe(),
        locks=FlockLocks(settings.paths.locks, pwd.getpwnam(settings.account).pw_gid),
        schedules=CronSimSchedules(),
        bookmark=FileBookmark(settings.paths.cron),
        reserve=DiskReserve(settings.paths.reserve, settings.reserve_mib),
        audit_trail=audit_files(settings),
        uploads=UploadFiles(settings.paths.uploads),
        store_recovery=DatabaseRecovery(database, common.store.database.keys),
        copies=Copies(database, common.store.database.keys),
        disk=DiskMeter(settings.paths),
        metrics_files=MetricsDirectory(settings.paths.metrics),
        notifier=NotifierProcess(settings),
        read_only_switches={
            DatastoreKind.POSTGRESQL: PostgresqlReadOnly(settings.paths),
            DatastoreKind.MYSQL: MariadbReadOnly(settings.paths),
            DatastoreKind.REDIS: RedisReadOnly(settings.paths),
        },
        follower_standings={DatastoreKind.POSTGRESQL: PostgresqlStandings(settings.paths)},
        backup_settings=backup_settings,
        datastore_archives={
            DatastoreKind.POSTGRESQL: PgBackRestArchives(settings, backup_settings)
        },
    )


def archive_services(adapters: MonitorAdapters) -> tuple[ArchiveSchedule, ArchiveWatch]:
    """When something is due for the archives of datastores, and what is wrong with them."""
    return archive_schedule(adapters), archive_watch(adapters)


def archive_schedule(adapters: MonitorAdapters) -> ArchiveSchedule:
    """When backups and rehearsals are due."""
    return ArchiveSchedule(
        store=adapters.store,
        archives=adapters.datastore_archives,
        settings=adapters.backup_settings,
        clock=adapters.clock,
    )


def archive_watch(adapters: MonitorAdapters) -> ArchiveWatch:
    """Whether datastores can be restored."""
    return ArchiveWatch(
        store=adapters.store,
        archives=adapters.datastore_archives,
        backups=adapters.backup_settings,
        clock=adapters.clock,
    )


def fork_watch(settings: Settings) -> tuple[Cgroups, RefusedForks]:
    """The cgroups of all that runs, and the forks that they were refused."""
    cgroups = Cgroups(settings)
    return cgroups, RefusedForks(cgroups)


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
        by_default=adapters.settings.auto_certificates,
    )


def web_certificate_due(
    adapters: CommonAdapters, files: WebCertificateFiles | None = None
) -> WebCertificateDue:
    """Whether there is anything to do for the certificate of git, the API and the dashboard.

    files: the server's own by default.
    """
    settings = adapters.settings
    return WebCertificateDue(
        store=adapters.store,
        files=files or WebCertificateDirectory(settings),
        hosts=certified_hosts(settings.automatic_web_hosts, settings.acme_directory),
    )


def wildcard_due(adapters: CommonAdapters) -> WildcardDue:
    """Whether there is anything to do for the certificate of all apps."""
    settings = adapters.settings
    host = f"*.{settings.domain}"
    is_possible = settings.https_port and not why_not(host, settings.acme_directory, by_dns=True)
    return WildcardDue(store=adapters.store, host=host if is_possible else "")


def quotas(adapters: CommonAdapters) -> Quotas:
    """How much members and their apps may have."""
    settings = adapters.settings
    return Quotas(store=adapters.store, disk=DiskMeter(settings.paths), defaults=settings.quotas)


def dump_schedules(adapters: MonitorAdapters) -> DumpSchedules:
    """Which dumps of datastores are due, or missing."""
    return DumpSchedules(store=adapters.store, locks=adapters.locks, clock=adapters.clock)


def follower_watch(adapters: MonitorAdapters) -> FollowerWatch:
    """Which followers of datastores need something done."""
    return FollowerWatch(
        store=adapters.store, standings=adapters.follower_standings, locks=adapters.locks
    )


def read_only_turn(adapters: MonitorAdapters) -> ReadOnlyTurn:
    """What makes datastores read-only before the disk is full."""
    return ReadOnlyTurn(
        store=adapters.store,
        switches=adapters.read_only_switches,
        disk=adapters.disk,
        logs=adapters.logs,
        min_free_bytes=adapters.settings.min_free_mib * 1024**2,
    )


def log_trimming(adapters: MonitorAdapters) -> LogTrimming:
    """What keeps the logs of datastores small."""
    return DatastoreLogTrimming(adapters.settings.paths)


def node_images(adapters: MonitorAdapters) -> NodeImages | None:
    """What keeps the registry for nodes small; None while the server has none."""
    if not has_registry(adapters.settings):
        return None
    # What it needs to ask the registry takes memory, which other servers save.
    from paas.adapters.cluster.registry import DockerRegistry

    registry = DockerRegistry(adapters.settings, supervisor(adapters.settings))
    return NodeImages(store=adapters.store, registry=registry)


def alarms(adapters: MonitorAdapters) -> Alarms:
    """What tells the operator's command of troubles."""
    return Alarms(
        store=adapters.store,
        dumps=dump_schedules(adapters),
        archives=archive_watch(adapters),
        nodes=FileNodeTroubles(adapters.settings.paths.node_troubles),
        command=SetAlarmCommand(adapters.settings),
        clock=adapters.clock,
    )


def collector(adapters: MonitorAdapters) -> Collector:
    """What collects the metrics of apps."""
    settings = adapters.settings
    return Collector(
        store=adapters.store,
        engines=adapters.engines,
        files=adapters.metrics_files,
        requests=RouterCounter(settings.paths.logs, settings.log_files),
        clock=adapters.clock,
    )


def notification_watch(adapters: MonitorAdapters) -> Watch:
    """What has people told of troubles."""
    settings = adapters.settings
    return Watch(
        store=adapters.store,
        alarms=alarms(adapters),
        metrics=adapters.metrics_files,
        disk=adapters.disk,
        notifier=adapters.notifier,
        ledgers=LedgerFile(settings.paths.notified),
        clock=adapters.clock,
        server=settings.domain,
        min_free_bytes=settings.min_free_mib * 1024**2,
    )


def losses(adapters: CommonAdapters) -> Losses:
    """Reports of what was lost with a process."""
    return Losses(store=adapters.store, logs=adapters.logs)


def scratch_keeper(adapters: CommonAdapters) -> ScratchKeeper:
    """What sees throw-away layers fill and end. Opens its socket; raises OSError."""
    found = losses(adapters)
    return ScratchKeeper(adapters.settings.paths.monitor_socket, found.report, found.report_full)


def order_turns(settings: Settings) -> OrderTurns:
    """Who asks the certificate issuer."""
    return FlockOrderTurns(settings.paths.locks)
