"""The outside world of one server: each adapter that several services share, made once."""

import pwd
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from paas.adapters.build_queue import FlockBuildQueue
from paas.adapters.buildpack import BuildpackBuilder
from paas.adapters.certificate_files import CertificateDirectory
from paas.adapters.cgroups import Cgroups
from paas.adapters.clock import SystemClock
from paas.adapters.disk_reserve import DiskReserve
from paas.adapters.haproxy_program import HaproxyProgram
from paas.adapters.importer import SandboxImporter
from paas.adapters.keyfile import AuthorizedKeys
from paas.adapters.locks import FlockLocks
from paas.adapters.logs import FileLogs
from paas.adapters.one_off import NativeOneOff
from paas.adapters.pages_files import FilePages
from paas.adapters.proxy_choice import ChosenProxy
from paas.adapters.proxy_haproxy import HaproxyProxy
from paas.adapters.proxy_nginx import NginxProxy
from paas.adapters.proxy_switch import Switch, ToHaproxy, ToNginx
from paas.adapters.refs_git import GitRefs
from paas.adapters.repository_dulwich import DulwichRepository
from paas.adapters.runs_native import NativeRuns
from paas.adapters.runtime_native import NativeRuntime
from paas.adapters.schedules_cronsim import CronSimSchedules
from paas.adapters.slugs_files import FileSlugs
from paas.adapters.storage_files import FileStorage
from paas.adapters.store_sqlite import SqliteStore
from paas.adapters.store_sqlite.rescue import StoreRescue
from paas.adapters.supervisord import Supervisor
from paas.adapters.trash_files import FileTrash
from paas.domain.addresses import Addresses
from paas.domain.interfaces import (
    Builder,
    BuildQueue,
    CertificateFiles,
    Clock,
    Importer,
    KeyFile,
    Locks,
    Logs,
    OneOff,
    Pages,
    ProxyKind,
    Refs,
    Repository,
    Reserve,
    Runs,
    Runtime,
    Schedules,
    Slugs,
    StorageFiles,
    Store,
    StoreKeeper,
    Trash,
)
from paas.settings import Settings

PYTHON = "/usr/bin/python3"


def _native_runtime(settings: Settings) -> Runtime:
    return NativeRuntime(settings, Supervisor(settings.supervisor_socket), Cgroups(settings))


RUNTIMES: dict[str, Callable[[Settings], Runtime]] = {"native": _native_runtime}
PROXIES: dict[str, Callable[[Settings], ProxyKind]] = {
    "nginx": NginxProxy,
    "haproxy": HaproxyProxy,
}


def _chosen_proxy(settings: Settings) -> ChosenProxy:
    program = HaproxyProgram(settings)
    switches: dict[str, Switch] = {"nginx": ToNginx(), "haproxy": ToHaproxy(program)}
    return ChosenProxy(settings, PROXIES, switches)


@dataclass(frozen=True, slots=True)
class Outside:
    """What services know as the Protocols of domain/interfaces."""

    settings: Settings
    addresses: Addresses
    clock: Clock
    store: Store
    repository: Repository
    refs: Refs
    importer: Importer
    slugs: Slugs
    runtime: Runtime
    proxy: ChosenProxy
    runs: Runs
    builder: Builder
    queue: BuildQueue
    logs: Logs
    locks: Locks
    key_file: KeyFile
    one_off: OneOff
    schedules: Schedules
    pages: Pages
    certificate_files: CertificateFiles
    storage_files: StorageFiles
    trash: Trash
    reserve: Reserve
    keeper: StoreKeeper


def outside(settings: Settings, database: Path | None = None) -> Outside:
    """The adapters of a server. Opens nothing: files and connections open on first use.

    database: in place of the server's own, to read from.
    """
    account = pwd.getpwnam(settings.account)
    addresses = Addresses(
        settings.domain,
        settings.http_port,
        settings.ssh_port,
        settings.account,
        settings.https_port,
    )
    clock = SystemClock()
    database = database or settings.state / "state.db"
    store = SqliteStore(database, settings.uids)
    owner = (account.pw_uid, account.pw_gid)
    repository = DulwichRepository(
        settings.state / "git",
        owner,
        max_bytes=settings.max_tree_mib * 1024**2,
        max_files=settings.max_tree_files,
    )
    importer = SandboxImporter(settings, settings.state / "git", owner)
    slugs = FileSlugs(settings.state, min_free_mib=settings.min_free_mib)
    runtime = RUNTIMES["native"](settings)
    proxy = _chosen_proxy(settings)
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
    one_off = NativeOneOff(settings)
    schedules = CronSimSchedules()
    pages = FilePages(settings.state / "pages")
    certificate_files = CertificateDirectory(settings.state / "certs")
    storage_files = FileStorage(settings.state / "storage")
    return Outside(
        settings=settings,
        addresses=addresses,
        clock=clock,
        store=store,
        repository=repository,
        refs=GitRefs(settings.state / "git", owner),
        importer=importer,
        slugs=slugs,
        runtime=runtime,
        proxy=proxy,
        runs=runs,
        builder=builder,
        queue=queue,
        logs=logs,
        locks=locks,
        key_file=key_file,
        one_off=one_off,
        schedules=schedules,
        pages=pages,
        certificate_files=certificate_files,
        storage_files=storage_files,
        trash=FileTrash(settings, clock),
        reserve=DiskReserve(settings.state, settings.reserve_mib),
        keeper=StoreRescue(database),
    )
