"""The services of one server over its adapters."""

from dataclasses import dataclass

from paas.domain.routing.addresses import Addresses
from paas.interfaces import DatastoreLogs, Engines, Locks, Logs, Proxy, Repository, Trash
from paas.services.apps.apps import Apps
from paas.services.apps.check_settings import AppChecks
from paas.services.apps.config import Config
from paas.services.apps.maintenance import Maintenance
from paas.services.apps.processes import Processes
from paas.services.apps.resources import AppResources
from paas.services.apps.sandbox import AppSandbox
from paas.services.apps.storage import Storages
from paas.services.audit.audit import Audit
from paas.services.backups.backups import Backups
from paas.services.builds.buildpacks import Buildpacks
from paas.services.builds.builds import Builds
from paas.services.builds.image_builds import ImageBuilds
from paas.services.builds.runtime_images import RuntimeImageUses
from paas.services.builds.uploads import SourceUploads
from paas.services.certificates.acme import Acme
from paas.services.certificates.certificates import Certificates
from paas.services.certificates.server_wide import ServerWide
from paas.services.certificates.web import WebCertificates
from paas.services.certificates.wildcard import Wildcards
from paas.services.cluster.moving import Moving
from paas.services.cluster.nodes import Nodes
from paas.services.cluster.scheduling import AppScheduling
from paas.services.datastores.archives.forks import Forks
from paas.services.datastores.archives.jobs import ArchiveJobs
from paas.services.datastores.archives.watch import ArchiveWatch
from paas.services.datastores.attachments import Attachments
from paas.services.datastores.datastores import Datastores
from paas.services.datastores.diagnosing import Diagnosing
from paas.services.datastores.dumps.captures import Captures
from paas.services.datastores.dumps.contents import Contents
from paas.services.datastores.dumps.dumps import Dumps
from paas.services.datastores.dumps.recovery import DumpRecovery
from paas.services.datastores.dumps.schedules import DumpSchedules
from paas.services.datastores.externals import Externals
from paas.services.datastores.following.followers import Followers
from paas.services.datastores.overview import DatastoreOverview
from paas.services.datastores.plan_changes import PlanChanges
from paas.services.datastores.pooling.pooling import Pooling
from paas.services.datastores.postgresql import PostgresqlUses
from paas.services.datastores.redis import RedisUses
from paas.services.datastores.rotation import LoginRotation
from paas.services.datastores.sessions import DatastoreSessions
from paas.services.datastores.upgrades import Upgrades
from paas.services.deploys.cloning import Cloning
from paas.services.deploys.image_imports import ImageImports
from paas.services.deploys.imports import Imports
from paas.services.deploys.promotions import Promotions
from paas.services.deploys.pushes import Pushes
from paas.services.git.credentials import GitCredentials
from paas.services.git.deploy_on_push import DeployOnPush
from paas.services.git.preview_deploys import PreviewDeploys
from paas.services.git.previews import Previews
from paas.services.logs.drains import Drains
from paas.services.metrics.metrics import Metrics
from paas.services.notifications.notifications import Notifications
from paas.services.people.access import AppAccess
from paas.services.people.admission import Admission
from paas.services.people.keys import Keys
from paas.services.people.tokens import Tokens
from paas.services.people.users import Users
from paas.services.people.web_sessions import WebSessions
from paas.services.releases.diffs import Diffs
from paas.services.releases.pipelines import Pipelines
from paas.services.releases.releases import Releases
from paas.services.routing.domains import Domains
from paas.services.routing.paths import Paths
from paas.services.routing.proxies import Proxies
from paas.services.routing.router import Router
from paas.services.routing.sites import Sites
from paas.services.routing.statics import Statics
from paas.services.routing.tcp_ports import TcpPorts
from paas.services.runs.cron import Cron
from paas.services.runs.runs import AppRuns
from paas.services.server.disk import DiskReports
from paas.services.server.doctor import Doctor
from paas.services.server.key_rotation import KeyRotation
from paas.services.server.quotas import Quotas
from paas.services.server.reconcile import Reconcile
from paas.services.server.store_recovery import Recovery
from paas.services.streams.streams import Streams
from paas.settings import Settings
from paas.store import Store
from paas.wiring import (
    apps,
    certificates,
    datastores,
    deploys,
    people,
    releases,
    routing,
    runs,
    server,
)
from paas.wiring import followers as follower_wiring
from paas.wiring.adapters import Adapters
from paas.wiring.monitor import archive_watch


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """All that an entry point may use."""

    settings: Settings
    addresses: Addresses
    store: Store
    repository: Repository
    engines: Engines
    proxy: Proxy
    logs: Logs
    locks: Locks
    trash: Trash
    access: AppAccess
    acme: Acme
    admission: Admission
    app_checks: AppChecks
    apps: Apps
    audit: Audit
    backups: Backups
    buildpacks: Buildpacks
    builds: Builds
    captures: Captures
    certificates: Certificates
    cloning: Cloning
    config: Config
    contents: Contents
    cron: Cron
    attachments: Attachments
    archive_jobs: ArchiveJobs
    archive_watch: ArchiveWatch
    forks: Forks
    followers: Followers
    datastores: Datastores
    datastore_overview: DatastoreOverview
    deploy_on_push: DeployOnPush
    diffs: Diffs
    disk: DiskReports
    doctor: Doctor
    domains: Domains
    paths: Paths
    dump_schedules: DumpSchedules
    drains: Drains
    dumps: Dumps
    dump_recovery: DumpRecovery
    externals: Externals
    git_credentials: GitCredentials
    https: ServerWide
    image_builds: ImageBuilds
    image_imports: ImageImports
    runtime_images: RuntimeImageUses
    imports: Imports
    key_rotation: KeyRotation
    keys: Keys
    moving: Moving
    nodes: Nodes
    app_runs: AppRuns
    pipelines: Pipelines
    preview_deploys: PreviewDeploys
    previews: Previews
    promotions: Promotions
    processes: Processes
    proxies: Proxies
    pushes: Pushes
    quotas: Quotas
    pooling: Pooling
    plan_changes: PlanChanges
    postgresql: PostgresqlUses
    upgrades: Upgrades
    redis: RedisUses
    reconcile: Reconcile
    releases: Releases
    rotation: LoginRotation
    recovery: Recovery
    resources: AppResources
    sandbox: AppSandbox
    scheduling: AppScheduling
    router: Router
    sites: Sites
    datastore_sessions: DatastoreSessions
    datastore_logs: DatastoreLogs
    diagnosing: Diagnosing
    statics: Statics
    tcp_ports: TcpPorts
    storage: Storages
    maintenance: Maintenance
    metrics: Metrics
    notifications: Notifications
    streams: Streams
    tokens: Tokens
    uploads: SourceUploads
    users: Users
    web_certificates: WebCertificates
    wildcards: Wildcards
    web_sessions: WebSessions


def all_services(adapters: Adapters) -> Services:
    """All services of a server. Opens nothing."""
    store, settings = adapters.store, adapters.settings
    sites = routing.sites(adapters)
    quotas = server.quotas(adapters)
    proxies = routing.proxies(adapters, sites)
    claims = routing.claims(adapters, sites, quotas)
    own_certificates = certificates.certificates(adapters, sites)
    acme = certificates.acme(adapters, own_certificates)
    web_certificates = certificates.web_certificates(adapters, sites)
    wildcards = certificates.wildcards(adapters, own_certificates)
    releasing = releases.releasing(adapters, sites)
    changes = releasing.changes
    garbage = apps.garbage(adapters)
    keeping = datastores.upkeep(adapters)
    destruction = apps.destruction(adapters, garbage, keeping)
    all_apps = apps.apps(adapters, sites, destruction, quotas)
    attaching = datastores.attachments(adapters, keeping, changes)
    all_datastores = datastores.datastores(adapters, keeping, attaching, quotas)
    elsewhere = datastores.externals(adapters, attaching)
    declared = datastores.declared(adapters, all_datastores)
    deploying = deploys.deploys(adapters, sites, releasing, quotas, declared)
    imports = deploys.imports(adapters, deploying, quotas)
    drains = runs.drains(adapters)
    recovery = server.recovery(adapters)
    audit = server.audit(adapters)
    following = follower_wiring.following(adapters, keeping)
    rotation = datastores.rotation(adapters, keeping, following, changes)
    reconcile = server.reconcile(
        adapters,
        datastores=keeping,
        followers=following,
        rotation=rotation,
        sites=sites,
        proxies=proxies,
        garbage=garbage,
        destruction=destruction,
        drains=drains,
        changes=changes,
    )
    app_runs = runs.app_runs(adapters)
    backups = Backups(
        settings=adapters.backup_settings,
        open_target=adapters.open_backup_target,
        clock=adapters.clock,
    )
    capturing = datastores.captures(adapters, backups)
    pipelines = Pipelines(store=store, diffs=releasing.diffs, clock=adapters.clock)
    return Services(
        settings=settings,
        addresses=adapters.addresses,
        store=store,
        repository=adapters.repository,
        engines=adapters.engines,
        proxy=adapters.proxy,
        logs=adapters.logs,
        locks=adapters.locks,
        trash=adapters.trash,
        access=people.access(adapters, quotas),
        acme=acme,
        admission=people.admission(adapters),
        app_checks=AppChecks(store=store, limits=settings.start_limits),
        apps=all_apps,
        audit=audit,
        backups=backups,
        buildpacks=Buildpacks(store=store, catalog=adapters.buildpacks),
        builds=deploys.builds(adapters),
        captures=capturing,
        certificates=own_certificates,
        cloning=deploys.cloning(adapters, all_apps, deploying),
        config=Config(store=store, changes=changes, clock=adapters.clock),
        contents=datastores.contents(adapters),
        cron=runs.cron(adapters),
        attachments=attaching,
        archive_jobs=datastores.archive_jobs(adapters, keeping),
        archive_watch=archive_watch(adapters),
        datastores=all_datastores,
        datastore_overview=datastores.overview(adapters, keeping),
        deploy_on_push=deploys.deploy_on_push(adapters, imports, sites),
        diffs=releasing.diffs,
        disk=server.disk_reports(adapters),
        forks=datastores.forks(adapters, all_datastores),
        followers=follower_wiring.followers(adapters, all_datastores, following, rotation),
        doctor=server.doctor(
            adapters,
            sites=sites,
            acme=acme,
            web_certificates=web_certificates,
            wildcards=wildcards,
            claims=claims,
            reconcile=reconcile,
            recovery=recovery,
            deploys=deploying,
            audit=audit,
        ),
        domains=routing.domains(adapters, sites, claims),
        paths=routing.paths(adapters, sites, claims),
        drains=drains,
        dump_schedules=capturing.schedules,
        dumps=datastores.dumps(adapters, backups, capturing),
        dump_recovery=datastores.dump_recovery(adapters, backups, capturing, all_datastores),
        externals=elsewhere,
        git_credentials=deploys.git_credentials(adapters),
        https=certificates.server_wide(adapters, own_certificates),
        image_builds=ImageBuilds(store=store, engines=adapters.engines),
        image_imports=deploys.image_imports(adapters, imports, quotas),
        runtime_images=RuntimeImageUses(engines=adapters.engines, slug_images=adapters.slug_images),
        imports=imports,
        key_rotation=KeyRotation(store=store, locks=adapters.locks),
        keys=people.keys(adapters),
        moving=server.moving(adapters, changes),
        nodes=server.nodes(adapters, keeping),
        app_runs=app_runs,
        pipelines=pipelines,
        preview_deploys=deploys.preview_deploys(adapters, all_apps, imports, releasing, sites),
        previews=deploys.previews(adapters, destruction, sites, quotas),
        promotions=deploys.promotions(adapters, deploying, pipelines),
        processes=apps.processes(adapters, changes, quotas),
        proxies=proxies,
        pushes=deploys.pushes(adapters, all_apps, deploying, releasing, quotas),
        quotas=quotas,
        pooling=datastores.pooling(adapters, keeping, attaching),
        plan_changes=datastores.plan_changes(adapters, keeping),
        postgresql=datastores.postgresql(adapters, keeping),
        upgrades=datastores.upgrades(adapters, keeping),
        redis=datastores.redis(adapters),
        reconcile=reconcile,
        releases=releasing.releases,
        recovery=recovery,
        resources=apps.resources(adapters, changes),
        sandbox=AppSandbox(store=store, engines=adapters.engines),
        scheduling=apps.scheduling(adapters, changes, keeping),
        rotation=rotation,
        router=routing.router(adapters, sites, quotas),
        sites=sites,
        datastore_logs=adapters.datastore_logs,
        datastore_sessions=datastores.sessions(adapters, all_datastores, elsewhere, app_runs),
        diagnosing=datastores.diagnosing(adapters),
        statics=Statics(store=store, sites=sites),
        tcp_ports=routing.tcp_ports(adapters, sites),
        storage=apps.storage(adapters, changes, quotas),
        maintenance=routing.maintenance(adapters, sites),
        notifications=runs.notifications(adapters),
        metrics=Metrics(store=store, files=adapters.metrics_files, clock=adapters.clock),
        streams=people.streams(adapters),
        tokens=people.tokens(adapters),
        uploads=deploys.uploads(adapters),
        users=people.users(adapters),
        web_certificates=web_certificates,
        wildcards=wildcards,
        web_sessions=people.web_sessions(adapters),
    )
