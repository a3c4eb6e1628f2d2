"""The services of one server over its adapters."""

from dataclasses import dataclass

from paas.domain.routing.addresses import Addresses
from paas.interfaces import Engines, Locks, Logs, Proxy, Repository, Trash
from paas.services.apps.apps import Apps
from paas.services.apps.check_settings import AppChecks
from paas.services.apps.config import Config
from paas.services.apps.keys import Keys
from paas.services.apps.maintenance import Maintenance
from paas.services.apps.processes import Processes
from paas.services.apps.resources import AppResources
from paas.services.apps.sandbox import AppSandbox
from paas.services.apps.storage import Storages
from paas.services.builds.buildpacks import Buildpacks
from paas.services.builds.builds import Builds
from paas.services.certificates.acme import Acme
from paas.services.certificates.certificates import Certificates
from paas.services.deploys.cloning import Cloning
from paas.services.deploys.imports import Imports
from paas.services.deploys.pushes import Pushes
from paas.services.logs.drains import Drains
from paas.services.releases.diffs import Diffs
from paas.services.releases.releases import Releases
from paas.services.routing.domains import Domains
from paas.services.routing.proxies import Proxies
from paas.services.routing.router import Router
from paas.services.routing.sites import Sites
from paas.services.routing.statics import Statics
from paas.services.runs.cron import Cron
from paas.services.runs.runs import AppRuns
from paas.services.server.disk import DiskReports
from paas.services.server.doctor import Doctor
from paas.services.server.key_rotation import KeyRotation
from paas.services.server.quotas import Quotas
from paas.services.server.reconcile import Reconcile
from paas.services.server.store_recovery import Recovery
from paas.settings import Settings
from paas.store import Store
from paas.wiring import apps, certificates, deploys, releases, routing, runs, server
from paas.wiring.adapters import Adapters


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
    acme: Acme
    app_checks: AppChecks
    apps: Apps
    buildpacks: Buildpacks
    builds: Builds
    certificates: Certificates
    cloning: Cloning
    config: Config
    cron: Cron
    diffs: Diffs
    disk: DiskReports
    doctor: Doctor
    domains: Domains
    drains: Drains
    imports: Imports
    key_rotation: KeyRotation
    keys: Keys
    app_runs: AppRuns
    processes: Processes
    proxies: Proxies
    pushes: Pushes
    quotas: Quotas
    reconcile: Reconcile
    releases: Releases
    recovery: Recovery
    resources: AppResources
    sandbox: AppSandbox
    router: Router
    sites: Sites
    statics: Statics
    storage: Storages
    maintenance: Maintenance


def all_services(adapters: Adapters) -> Services:
    """All services of a server. Opens nothing."""
    store, settings = adapters.store, adapters.settings
    sites = routing.sites(adapters)
    quotas = server.quotas(adapters)
    proxies = routing.proxies(adapters, sites)
    claims = routing.claims(adapters, sites, quotas)
    own_certificates = certificates.certificates(adapters, sites)
    acme = certificates.acme(adapters, own_certificates)
    releasing = releases.releasing(adapters, sites)
    changes = releasing.changes
    garbage = apps.garbage(adapters)
    destruction = apps.destruction(adapters, garbage)
    all_apps = apps.apps(adapters, sites, destruction, quotas)
    deploying = deploys.deploys(adapters, sites, releasing, quotas)
    drains = runs.drains(adapters)
    recovery = server.recovery(adapters)
    reconcile = server.reconcile(
        adapters,
        sites=sites,
        proxies=proxies,
        garbage=garbage,
        destruction=destruction,
        drains=drains,
        changes=changes,
    )
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
        acme=acme,
        app_checks=AppChecks(store=store, limits=settings.start_limits),
        apps=all_apps,
        buildpacks=Buildpacks(store=store, catalog=adapters.buildpacks),
        builds=deploys.builds(adapters),
        certificates=own_certificates,
        cloning=deploys.cloning(adapters, all_apps, deploying),
        config=Config(store=store, changes=changes, clock=adapters.clock),
        cron=runs.cron(adapters),
        diffs=releasing.diffs,
        disk=server.disk_reports(adapters),
        doctor=server.doctor(
            adapters,
            sites=sites,
            acme=acme,
            claims=claims,
            reconcile=reconcile,
            recovery=recovery,
            deploys=deploying,
        ),
        domains=routing.domains(adapters, sites, claims),
        drains=drains,
        imports=deploys.imports(adapters, deploying, quotas),
        key_rotation=KeyRotation(store=store, locks=adapters.locks),
        keys=apps.keys(adapters),
        app_runs=runs.app_runs(adapters),
        processes=apps.processes(adapters, changes, quotas),
        proxies=proxies,
        pushes=deploys.pushes(adapters, all_apps, deploying, releasing, quotas),
        quotas=quotas,
        reconcile=reconcile,
        releases=releasing.releases,
        recovery=recovery,
        resources=apps.resources(adapters, changes),
        sandbox=AppSandbox(store=store),
        router=routing.router(adapters, sites, quotas),
        sites=sites,
        statics=Statics(store=store, sites=sites),
        storage=apps.storage(adapters, changes, quotas),
        maintenance=routing.maintenance(adapters, sites),
    )
