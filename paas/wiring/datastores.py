"""Datastores: what users do with them, and what keeps them running."""

from paas.domain.releases.artifacts import NATIVE
from paas.services.backups.backups import Backups
from paas.services.datastores.archives.forks import Forks
from paas.services.datastores.archives.jobs import ArchiveJobs
from paas.services.datastores.archives.notes import ArchiveNotes
from paas.services.datastores.attachments import Attachments
from paas.services.datastores.datastores import Datastores
from paas.services.datastores.declared import DeclaredDatastores
from paas.services.datastores.diagnosing import Diagnosing
from paas.services.datastores.dumps.captures import Captures
from paas.services.datastores.dumps.contents import Contents
from paas.services.datastores.dumps.dumps import Dumps
from paas.services.datastores.dumps.notes import DumpNotes
from paas.services.datastores.dumps.recovery import DumpRecovery
from paas.services.datastores.dumps.replacing import Replacing
from paas.services.datastores.dumps.sources import DumpSources
from paas.services.datastores.externals import Externals
from paas.services.datastores.following.upkeep import FollowerUpkeep
from paas.services.datastores.overview import DatastoreOverview
from paas.services.datastores.plan_changes import PlanChanges
from paas.services.datastores.pooling.pooling import Pooling
from paas.services.datastores.pooling.upkeep import PoolerUpkeep
from paas.services.datastores.postgresql import PostgresqlUses
from paas.services.datastores.redis import RedisUses
from paas.services.datastores.rotation import LoginRotation
from paas.services.datastores.sessions import DatastoreSessions
from paas.services.datastores.upgrades import Upgrades
from paas.services.datastores.upkeep import DatastoreUpkeep
from paas.services.releases.changes import Changes
from paas.services.runs.runs import AppRuns
from paas.services.server.quotas import Quotas
from paas.wiring.adapters import Adapters
from paas.wiring.monitor import archive_schedule, archive_watch, dump_schedules


def upkeep(adapters: Adapters) -> DatastoreUpkeep:
    """Their servers, which are processes of this machine whatever runs the apps."""
    runtime = adapters.engines.named(NATIVE).runtime
    return DatastoreUpkeep(
        store=adapters.store,
        servers=adapters.datastore_servers,
        archives=adapters.datastore_archives,
        file_upgrades=adapters.file_upgrades,
        followers=adapters.datastore_followers,
        clients=adapters.datastore_clients,
        files=adapters.datastore_files,
        clock=adapters.clock,
        poolers=PoolerUpkeep(
            store=adapters.store,
            poolers=adapters.poolers,
            clients=adapters.datastore_clients,
            ports=adapters.ports,
            runtime=runtime,
        ),
        runtime=runtime,
        locks=adapters.locks,
    )


def overview(adapters: Adapters, keeping: DatastoreUpkeep) -> DatastoreOverview:
    """What admins see of all of them."""
    return DatastoreOverview(
        store=adapters.store,
        upkeep=keeping,
        runtime=keeping.runtime,
        dumps=dump_schedules(adapters),
        archives=archive_watch(adapters),
        disk=adapters.disk,
    )


def attachments(adapters: Adapters, keeping: DatastoreUpkeep, changes: Changes) -> Attachments:
    """What gives apps their URLs."""
    return Attachments(store=adapters.store, upkeep=keeping, changes=changes, clock=adapters.clock)


def datastores(
    adapters: Adapters, keeping: DatastoreUpkeep, attaching: Attachments, quotas: Quotas
) -> Datastores:
    """What users do with them."""
    return Datastores(
        store=adapters.store,
        servers=adapters.datastore_servers,
        ports=adapters.ports,
        runtime=adapters.engines.named(NATIVE).runtime,
        upkeep=keeping,
        attachments=attaching,
        quotas=quotas,
        locks=adapters.locks,
        reserve=adapters.reserve,
        clock=adapters.clock,
        random_name=adapters.random_name,
        random_secret=adapters.random_secret,
    )


def archive_notes(adapters: Adapters) -> ArchiveNotes:
    """What the archives in the target are of."""
    return ArchiveNotes(
        store=adapters.store,
        settings=adapters.backup_settings,
        open_target=adapters.open_backup_target,
    )


def archive_jobs(adapters: Adapters, keeping: DatastoreUpkeep) -> ArchiveJobs:
    """Backups and rehearsals."""
    return ArchiveJobs(
        store=adapters.store,
        archives=adapters.datastore_archives,
        schedule=archive_schedule(adapters),
        notes=archive_notes(adapters),
        upkeep=keeping,
        locks=adapters.locks,
        logs=adapters.logs,
        clock=adapters.clock,
    )


def forks(adapters: Adapters, datastores: Datastores) -> Forks:
    """Datastores made of what others were."""
    return Forks(
        store=adapters.store,
        servers=adapters.datastore_servers,
        archives=adapters.datastore_archives,
        notes=archive_notes(adapters),
        datastores=datastores,
        locks=adapters.locks,
        clock=adapters.clock,
    )


def declared(adapters: Adapters, datastores: Datastores) -> DeclaredDatastores:
    """Those that an app's app.json asks for."""
    return DeclaredDatastores(store=adapters.store, datastores=datastores)


def pooling(adapters: Adapters, keeping: DatastoreUpkeep, attaching: Attachments) -> Pooling:
    """URLs of their connection poolers."""
    return Pooling(store=adapters.store, attachments=attaching, poolers=keeping.poolers)


def rotation(
    adapters: Adapters, keeping: DatastoreUpkeep, following: FollowerUpkeep, changes: Changes
) -> LoginRotation:
    """Changes of their logins."""
    return LoginRotation(
        store=adapters.store,
        servers=adapters.datastore_servers,
        changes=changes,
        poolers=keeping.poolers,
        following=following,
        locks=adapters.locks,
        logs=adapters.logs,
        random_secret=adapters.random_secret,
    )


def externals(adapters: Adapters, attaching: Attachments) -> Externals:
    """Databases elsewhere."""
    return Externals(
        store=adapters.store,
        servers=adapters.external_servers,
        reach=adapters.reach,
        attachments=attaching,
        clock=adapters.clock,
        random_name=adapters.random_name,
    )


def diagnosing(adapters: Adapters) -> Diagnosing:
    """pg:diagnose and its like."""
    return Diagnosing(store=adapters.store, reports=adapters.datastore_reports)


def sessions(
    adapters: Adapters, datastores: Datastores, elsewhere: Externals, app_runs: AppRuns
) -> DatastoreSessions:
    """psql and its like."""
    return DatastoreSessions(
        store=adapters.store,
        servers=adapters.datastore_servers,
        datastores=datastores,
        externals=elsewhere,
        app_runs=app_runs,
    )


def redis(adapters: Adapters) -> RedisUses:
    """What only Redis has."""
    return RedisUses(
        store=adapters.store,
        redis=adapters.redis,
        locks=adapters.locks,
    )


def postgresql(adapters: Adapters, keeping: DatastoreUpkeep) -> PostgresqlUses:
    """What only PostgreSQL has."""
    return PostgresqlUses(
        store=adapters.store,
        postgresql=adapters.postgresql,
        servers=adapters.datastore_servers,
        upkeep=keeping,
        locks=adapters.locks,
    )


def plan_changes(adapters: Adapters, keeping: DatastoreUpkeep) -> PlanChanges:
    """Other limits for them."""
    return PlanChanges(
        store=adapters.store,
        servers=adapters.datastore_servers,
        upkeep=keeping,
        locks=adapters.locks,
    )


def upgrades(adapters: Adapters, keeping: DatastoreUpkeep) -> Upgrades:
    """Other major versions for them."""
    return Upgrades(
        store=adapters.store,
        upgrades=adapters.major_upgrades,
        servers=adapters.datastore_servers,
        runtime=keeping.runtime,
        locks=adapters.locks,
        clock=adapters.clock,
    )


def captures(adapters: Adapters, backups: Backups) -> Captures:
    """What makes dumps."""
    return Captures(
        store=adapters.store,
        dumps=adapters.datastore_dumps,
        sources=_dump_sources(adapters),
        notes=DumpNotes(store=adapters.store, backups=backups),
        backups=backups,
        schedules=dump_schedules(adapters),
        locks=adapters.locks,
        logs=adapters.logs,
        clock=adapters.clock,
    )


def dumps(adapters: Adapters, backups: Backups, making: Captures) -> Dumps:
    """What users do with dumps that are kept."""
    return Dumps(
        store=adapters.store,
        backups=backups,
        captures=making,
        schedules=making.schedules,
        replacing=_replacing(adapters),
        clock=adapters.clock,
    )


def dump_recovery(
    adapters: Adapters, backups: Backups, making: Captures, datastores: Datastores
) -> DumpRecovery:
    """Datastores from dumps that are kept."""
    return DumpRecovery(
        store=adapters.store,
        dumps=adapters.datastore_dumps,
        servers=adapters.datastore_servers,
        backups=backups,
        notes=making.notes,
        datastores=datastores,
        locks=adapters.locks,
    )


def contents(adapters: Adapters) -> Contents:
    """What users do with all that is in one."""
    return Contents(
        store=adapters.store,
        dumps=adapters.datastore_dumps,
        sources=_dump_sources(adapters),
        replacing=_replacing(adapters),
        locks=adapters.locks,
    )


def _dump_sources(adapters: Adapters) -> DumpSources:
    return DumpSources(
        store=adapters.store,
        dumps=adapters.datastore_dumps,
        external_dumps=adapters.external_dumps,
        reach=adapters.reach,
    )


def _replacing(adapters: Adapters) -> Replacing:
    return Replacing(store=adapters.store, dumps=adapters.datastore_dumps, locks=adapters.locks)
