"""The outside world of one server: each adapter that several services share, made once."""

import pwd
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from paas.adapters.builds.builder import BuildpackBuilder
from paas.adapters.builds.importer import SandboxImporter
from paas.adapters.builds.queue import FlockBuildQueue
from paas.adapters.builds.slugs import FileSlugs
from paas.adapters.certificates.files import CertificateDirectory
from paas.adapters.git.refs import GitRefs
from paas.adapters.git.repository import DulwichRepository
from paas.adapters.logs.app_logs import FileLogs
from paas.adapters.proxy.choice import ChosenProxy
from paas.adapters.proxy.haproxy.program import HaproxyProgram
from paas.adapters.proxy.haproxy.proxy import HaproxyProxy
from paas.adapters.proxy.nginx.proxy import NginxProxy
from paas.adapters.proxy.pages_files import FilePages
from paas.adapters.proxy.switch import Switch, ToHaproxy, ToNginx
from paas.adapters.runtime.native.cgroups import Cgroups
from paas.adapters.runtime.native.commands import NativeOneOff
from paas.adapters.runtime.native.runs import NativeRuns
from paas.adapters.runtime.native.runtime import NativeRuntime
from paas.adapters.server.disk_reserve import DiskReserve
from paas.adapters.server.trash import FileTrash
from paas.adapters.ssh.authorized_keys import AuthorizedKeys
from paas.adapters.supervisor.client import Supervisor
from paas.adapters.system.clock import SystemClock
from paas.adapters.system.locks import FlockLocks
from paas.adapters.system.schedules import CronSimSchedules
from paas.adapters.system.storage_files import FileStorage
from paas.domain.routing.addresses import Addresses
from paas.interfaces import (
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
    StoreKeeper,
    Trash,
)
from paas.settings import Settings
from paas.store import Store
from paas.store.rescue import StoreRescue

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
    """What services know as the Protocols of interfaces."""

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
    store = Store(database, settings.uids)
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
