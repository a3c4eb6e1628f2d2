"""The one place where services meet adapters."""

import pwd
from collections.abc import Callable
from dataclasses import dataclass

from paas.adapters.build_queue import FlockBuildQueue
from paas.adapters.buildpack import BuildpackBuilder
from paas.adapters.buildpack_catalog import FileBuildpacks
from paas.adapters.cgroups import Cgroups
from paas.adapters.clock import SystemClock
from paas.adapters.health import HttpProbe
from paas.adapters.keyfile import AuthorizedKeys
from paas.adapters.keyreader import SshKeygenKeyReader
from paas.adapters.locks import FlockLocks
from paas.adapters.logs import FileLogs
from paas.adapters.one_off import NativeOneOff
from paas.adapters.ports import LocalPorts
from paas.adapters.proxy_nginx import NginxProxy
from paas.adapters.random_names import random_name, random_secret
from paas.adapters.repository_dulwich import DulwichRepository
from paas.adapters.resolver import SystemResolver
from paas.adapters.router_log import RouterLog
from paas.adapters.runs_native import NativeRuns
from paas.adapters.runtime_native import NativeRuntime
from paas.adapters.server_yml import ServerYml
from paas.adapters.slugs_files import FileSlugs
from paas.adapters.storage_files import FileStorage
from paas.adapters.store_sqlite import SqliteStore
from paas.adapters.supervisord import Supervisor
from paas.domain.addresses import Addresses
from paas.domain.interfaces import Locks, Logs, Proxy, Repository, Runtime, Store
from paas.services.apps import Apps
from paas.services.buildpacks import Buildpacks
from paas.services.builds import Builds
from paas.services.cloning import Cloning
from paas.services.config import Config
from paas.services.deploys import Deploys
from paas.services.diffs import Diffs
from paas.services.domains import Domains
from paas.services.keys import Keys
from paas.services.phases import Phases
from paas.services.processes import Processes
from paas.services.pruning import Pruning
from paas.services.pushes import Pushes
from paas.services.reconcile import Reconcile
from paas.services.releases import Releases
from paas.services.rollout import Rollout
from paas.services.runs import OneOffs
from paas.services.sites import Sites
from paas.services.slug_maker import SlugMaker
from paas.services.startup import Startup
from paas.services.storage import Storages
from paas.services.upkeep import Upkeep
from paas.services.watch import Watch
from paas.settings import Settings

PYTHON = "/usr/bin/python3"


def _native_runtime(settings: Settings) -> Runtime:
    return NativeRuntime(settings, Supervisor(settings.supervisor_socket), Cgroups(settings))


RUNTIMES: dict[str, Callable[[Settings], Runtime]] = {"native": _native_runtime}
PROXIES: dict[str, Callable[[Settings], Proxy]] = {"nginx": NginxProxy}


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
    apps: Apps
    buildpacks: Buildpacks
    cloning: Cloning
    builds: Builds
    config: Config
    diffs: Diffs
    domains: Domains
    keys: Keys
    one_offs: OneOffs
    processes: Processes
    pushes: Pushes
    reconcile: Reconcile
    releases: Releases
    sites: Sites
    storage: Storages
    upkeep: Upkeep


def build(settings: Settings) -> Platform:
    """The platform of a server. Opens nothing: files and connections open on first use."""
    account = pwd.getpwnam(settings.account)
    addresses = Addresses(settings.domain, settings.http_port, settings.ssh_port, settings.account)
    clock = SystemClock()
    store = SqliteStore(settings.state / "state.db", settings.uids)
    repository = DulwichRepository(
        settings.state / "git",
        (account.pw_uid, account.pw_gid),
        max_bytes=settings.max_tree_mib * 1024**2,
        max_files=settings.max_tree_files,
    )
    slugs = FileSlugs(settings.state, min_free_mib=settings.min_free_mib)
    runtime = RUNTIMES["native"](settings)
    proxy = PROXIES["nginx"](settings)
    runs = NativeRuns(settings, Cgroups(settings), clock)
    builder = BuildpackBuilder(settings)
    queue = FlockBuildQueue(settings.run / "locks/builds", settings.max_builds)
    logs = FileLogs(settings, clock)
    locks = FlockLocks(settings.run / "locks", account.pw_gid)
    client = settings.current / "paas/entrypoints/client.py"
    key_file = AuthorizedKeys(
        settings.etc / "authorized_keys",
        [PYTHON, "-I", "-S", str(client), "--paas-etc", str(settings.etc), "--as"],
        gid=account.pw_gid,
    )
    startup = Startup(
        runtime=runtime,
        probe=HttpProbe(),
        logs=logs,
        clock=clock,
        limit_s=settings.start_limit_s,
    )
    one_off = NativeOneOff(settings)
    phases = Phases(one_off=one_off, slugs=slugs, logs=logs, limit_s=settings.release_limit_s)
    sites = Sites(store=store, proxy=proxy, slugs=slugs, locks=locks, addresses=addresses)
    rollout = Rollout(
        store=store,
        runtime=runtime,
        proxy=proxy,
        ports=LocalPorts(settings),
        slugs=slugs,
        logs=logs,
        sites=sites,
        startup=startup,
        phases=phases,
        addresses=addresses,
        drain_limit_s=settings.drain_limit_s,
        stop_limit_s=settings.stop_limit_s,
    )
    storage_files = FileStorage(settings.state / "storage")
    apps = Apps(
        storage_files=storage_files,
        runs=runs,
        store=store,
        repository=repository,
        runtime=runtime,
        proxy=proxy,
        slugs=slugs,
        logs=logs,
        locks=locks,
        clock=clock,
        sites=sites,
        addresses=addresses,
        random_name=random_name,
        stop_limit_s=settings.stop_limit_s,
    )
    diffs = Diffs(store=store, repository=repository)
    releases = Releases(
        store=store, rollout=rollout, diffs=diffs, locks=locks, logs=logs, clock=clock
    )
    watch = Watch(
        store=store,
        runtime=runtime,
        requests=RouterLog(settings.state / "logs"),
        releases=releases,
        locks=locks,
        logs=logs,
        clock=clock,
        window_s=settings.watch_window_s,
    )
    pruning = Pruning(
        store=store,
        slugs=slugs,
        runs=runs,
        keep_slugs=settings.keep_slugs,
        keep_slugs_mib=settings.keep_slugs_mib,
    )
    maker = SlugMaker(
        store=store,
        repository=repository,
        builder=builder,
        queue=queue,
        slugs=slugs,
        phases=phases,
        clock=clock,
        random_secret=random_secret,
    )
    deploys = Deploys(
        store=store,
        repository=repository,
        maker=maker,
        queue=queue,
        slugs=slugs,
        pruning=pruning,
        rollout=rollout,
        phases=phases,
        watch=watch,
        locks=locks,
        logs=logs,
        clock=clock,
        addresses=addresses,
    )
    return Platform(
        settings=settings,
        addresses=addresses,
        store=store,
        repository=repository,
        runtime=runtime,
        proxy=proxy,
        logs=logs,
        locks=locks,
        apps=apps,
        cloning=Cloning(
            store=store, repository=repository, apps=apps, deploys=deploys, locks=locks, clock=clock
        ),
        buildpacks=Buildpacks(store=store, catalog=FileBuildpacks(settings)),
        builds=Builds(store=store, queue=queue, locks=locks, logs=logs, clock=clock),
        config=Config(store=store, rollout=rollout, locks=locks, clock=clock),
        diffs=diffs,
        domains=Domains(
            store=store,
            proxy=proxy,
            locks=locks,
            sites=sites,
            resolver=SystemResolver(settings.domain),
            server=ServerYml(settings.etc / "server.yml"),
            addresses=addresses,
            max_domains=settings.max_domains,
        ),
        releases=releases,
        sites=sites,
        keys=Keys(
            store=store, reader=SshKeygenKeyReader(), file=key_file, locks=locks, clock=clock
        ),
        one_offs=OneOffs(
            store=store, slugs=slugs, runs=runs, logs=logs, stop_limit_s=settings.stop_limit_s
        ),
        storage=Storages(store=store, files=storage_files, rollout=rollout, locks=locks),
        upkeep=Upkeep(store=store, proxy=proxy, sites=sites, locks=locks, clock=clock),
        processes=Processes(store=store, runtime=runtime, rollout=rollout, locks=locks),
        pushes=Pushes(store=store, repository=repository, apps=apps, deploys=deploys, diffs=diffs),
        reconcile=Reconcile(
            runs=runs,
            one_off=one_off,
            store=store,
            repository=repository,
            builder=builder,
            runtime=runtime,
            proxy=proxy,
            slugs=slugs,
            logs=logs,
            locks=locks,
            keys=key_file,
            clock=clock,
            rollout=rollout,
            sites=sites,
            stop_limit_s=settings.stop_limit_s,
        ),
    )
