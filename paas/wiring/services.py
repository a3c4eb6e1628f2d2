"""The services of one server over its adapters."""

from dataclasses import dataclass
from pathlib import Path

from paas.adapters.builds.catalog import FileBuildpacks
from paas.adapters.logs.drain_places import DrainPlaces
from paas.adapters.network.public_suffixes import is_public_suffix
from paas.adapters.network.resolver import SystemResolver
from paas.adapters.server.server_yml import ServerYml
from paas.adapters.server.side_by_side import through_gate
from paas.adapters.ssh.public_keys import SshKeygenKeyReader
from paas.adapters.system.passwords import hash_password
from paas.adapters.system.random_names import random_name, random_token
from paas.domain.routing.addresses import Addresses
from paas.interfaces import Locks, Logs, Proxy, Repository, Runtime, Trash
from paas.services.apps.apps import Apps
from paas.services.apps.check_settings import AppChecks
from paas.services.apps.config import Config
from paas.services.apps.destruction import Destruction
from paas.services.apps.keys import Keys
from paas.services.apps.maintenance import Maintenance
from paas.services.apps.processes import Processes
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
from paas.services.runs.runs import OneOffs
from paas.services.server.doctor import Doctor
from paas.services.server.garbage import Garbage
from paas.services.server.reconcile import Reconcile
from paas.services.server.store_rescue import Rescue
from paas.settings import Settings
from paas.store import Store
from paas.wiring.adapters import outside
from paas.wiring.certifying import certifying
from paas.wiring.deploying import deploying
from paas.wiring.doctoring import doctor


@dataclass(frozen=True, slots=True)
class Platform:
    """Everything that an entrance may use."""

    settings: Settings
    addresses: Addresses
    store: Store
    repository: Repository
    runtime: Runtime
    proxy: Proxy
    logs: Logs
    locks: Locks
    acme: Acme
    apps: Apps
    app_checks: AppChecks
    buildpacks: Buildpacks
    certificates: Certificates
    cloning: Cloning
    builds: Builds
    config: Config
    cron: Cron
    diffs: Diffs
    imports: Imports
    domains: Domains
    doctor: Doctor
    drains: Drains
    keys: Keys
    one_offs: OneOffs
    processes: Processes
    proxies: Proxies
    pushes: Pushes
    reconcile: Reconcile
    releases: Releases
    rescue: Rescue
    router: Router
    sites: Sites
    statics: Statics
    storage: Storages
    trash: Trash
    maintenance: Maintenance


def build(settings: Settings, database: Path | None = None) -> Platform:
    """The platform of a server. Opens nothing: files and connections open on first use.

    database: in place of the server's own, to read from.
    """
    out = outside(settings, database)
    sites = Sites(
        store=out.store,
        proxy=out.proxy,
        slugs=out.slugs,
        pages=out.pages,
        locks=out.locks,
        certificate_files=out.certificate_files,
        addresses=out.addresses,
    )
    certificates, acme = certifying(out, sites)
    parts = deploying(out, sites)
    proxies = Proxies(
        store=out.store, sites=sites, choice=out.proxy, linger_limit_s=settings.worker_limit_s
    )
    garbage = Garbage(
        store=out.store,
        locks=out.locks,
        slugs=out.slugs,
        storage_files=out.storage_files,
        pages=out.pages,
        logs=out.logs,
        repository=out.repository,
        runtime=out.runtime,
        proxy=out.proxy,
        certificate_files=out.certificate_files,
        trash=out.trash,
        stop_limit_s=settings.stop_limit_s,
    )
    destruction = Destruction(
        store=out.store,
        proxy=out.proxy,
        runtime=out.runtime,
        runs=out.runs,
        certificate_files=out.certificate_files,
        garbage=garbage,
        locks=out.locks,
        stop_limit_s=settings.stop_limit_s,
    )
    apps = Apps(
        destruction=destruction,
        store=out.store,
        repository=out.repository,
        proxy=out.proxy,
        locks=out.locks,
        reserve=out.reserve,
        clock=out.clock,
        sites=sites,
        addresses=out.addresses,
        random_name=random_name,
    )
    drains = Drains(
        store=out.store,
        process=DrainPlaces(settings),
        locks=out.locks,
        new_token=random_token,
        to_server=settings.drain_to_server,
    )
    reconcile = Reconcile(
        storage_files=out.storage_files,
        garbage=garbage,
        destruction=destruction,
        importer=out.importer,
        drains=drains,
        runs=out.runs,
        one_off=out.one_off,
        store=out.store,
        repository=out.repository,
        builder=out.builder,
        runtime=out.runtime,
        proxy=out.proxy,
        slugs=out.slugs,
        logs=out.logs,
        locks=out.locks,
        keys=out.key_file,
        clock=out.clock,
        changes=parts.changes,
        sites=sites,
        proxies=proxies,
        side_by_side=through_gate(settings.current / "paas/entrypoints/client.py", settings.etc),
        stop_limit_s=settings.stop_limit_s,
    )
    rescue = Rescue(store=out.store, keeper=out.keeper, trash=out.trash, locks=out.locks)
    return Platform(
        settings=settings,
        addresses=out.addresses,
        store=out.store,
        repository=out.repository,
        runtime=out.runtime,
        proxy=out.proxy,
        logs=out.logs,
        locks=out.locks,
        acme=acme,
        apps=apps,
        certificates=certificates,
        cloning=Cloning(
            store=out.store,
            repository=out.repository,
            apps=apps,
            deploys=parts.deploys,
            locks=out.locks,
            clock=out.clock,
        ),
        app_checks=AppChecks(store=out.store, limits=settings.start_limits),
        buildpacks=Buildpacks(store=out.store, catalog=FileBuildpacks(settings)),
        builds=Builds(
            store=out.store,
            queue=out.queue,
            slugs=out.slugs,
            reserve=out.reserve,
            locks=out.locks,
            logs=out.logs,
            clock=out.clock,
        ),
        config=Config(
            store=out.store,
            changes=parts.changes,
            clock=out.clock,
        ),
        cron=Cron(
            store=out.store,
            slugs=out.slugs,
            runs=out.runs,
            logs=out.logs,
            schedules=out.schedules,
            clock=out.clock,
            stop_limit_s=settings.stop_limit_s,
        ),
        diffs=parts.diffs,
        domains=Domains(
            store=out.store,
            proxy=out.proxy,
            locks=out.locks,
            sites=sites,
            resolver=SystemResolver(settings.domain),
            server=ServerYml(settings.etc / "server.yml"),
            addresses=out.addresses,
            max_domains=settings.max_domains,
            is_public_suffix=is_public_suffix,
        ),
        drains=drains,
        releases=parts.releases,
        rescue=rescue,
        sites=sites,
        statics=Statics(store=out.store, sites=sites),
        router=Router(store=out.store, proxy=out.proxy, sites=sites, hash_password=hash_password),
        keys=Keys(
            store=out.store,
            reader=SshKeygenKeyReader(),
            file=out.key_file,
            locks=out.locks,
            clock=out.clock,
        ),
        one_offs=OneOffs(
            store=out.store,
            slugs=out.slugs,
            runs=out.runs,
            logs=out.logs,
            reserve=out.reserve,
            stop_limit_s=settings.stop_limit_s,
        ),
        trash=out.trash,
        storage=Storages(
            store=out.store,
            files=out.storage_files,
            changes=parts.changes,
            reserve=out.reserve,
        ),
        maintenance=Maintenance(
            store=out.store,
            proxy=out.proxy,
            sites=sites,
            pages=out.pages,
            locks=out.locks,
            clock=out.clock,
        ),
        processes=Processes(
            store=out.store,
            runtime=out.runtime,
            changes=parts.changes,
            locks=out.locks,
        ),
        proxies=proxies,
        pushes=Pushes(
            store=out.store,
            repository=out.repository,
            refs=out.refs,
            apps=apps,
            deploys=parts.deploys,
            diffs=parts.diffs,
        ),
        imports=Imports(
            store=out.store,
            repository=out.repository,
            refs=out.refs,
            importer=out.importer,
            deploys=parts.deploys,
            locks=out.locks,
        ),
        reconcile=reconcile,
        doctor=doctor(out, sites, acme, reconcile, rescue, parts.deploys),
    )
