"""The adapters of one server: each is made once, here, and several services share it."""

import pwd
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from paas.adapters.builds.catalog import FileBuildpacks
from paas.adapters.builds.importer import SandboxImporter
from paas.adapters.builds.queue import FlockBuildQueue
from paas.adapters.builds.slugs import FileSlugs
from paas.adapters.builds.submodules import SandboxSubmodules
from paas.adapters.certificates.certbot import Certbot
from paas.adapters.certificates.files import CertificateDirectory
from paas.adapters.certificates.reader import X509Reader
from paas.adapters.git.refs import GitRefs
from paas.adapters.git.repository import DulwichRepository
from paas.adapters.logs.drain_positions import DrainPositions
from paas.adapters.network.ports import LocalPorts
from paas.adapters.network.public_suffixes import is_public_suffix
from paas.adapters.network.resolver import SystemResolver
from paas.adapters.proxy.access_log import RouterLog
from paas.adapters.proxy.choice import ChosenProxy
from paas.adapters.proxy.haproxy.program import HaproxyProgram
from paas.adapters.proxy.haproxy.proxy import HaproxyProxy
from paas.adapters.proxy.nginx.proxy import NginxProxy
from paas.adapters.proxy.pages_files import FilePages
from paas.adapters.proxy.switch import Switch, ToHaproxy, ToNginx
from paas.adapters.runtime.native.throwaway import LiveLayers
from paas.adapters.server.disk_meter import DiskMeter
from paas.adapters.server.machine import ServerMachine
from paas.adapters.server.parallel_roll_outs import through_gate
from paas.adapters.server.server_yml import ServerYml
from paas.adapters.server.trash import FileTrash
from paas.adapters.ssh.authorized_keys import AuthorizedKeys
from paas.adapters.ssh.public_keys import SshKeygenKeyReader
from paas.adapters.system.passwords import hash_password
from paas.adapters.system.random_names import random_name, random_secret, random_token
from paas.adapters.system.storage_files import FileStorage
from paas.domain.routing.hosts import HostName
from paas.domain.values.names import AppName
from paas.domain.values.secret import Secret
from paas.interfaces import (
    BuildpackCatalog,
    BuildQueue,
    CertificateFiles,
    CertificateReader,
    Disk,
    DrainProcess,
    Importer,
    Issuer,
    KeyFile,
    KeyReader,
    Layers,
    Machine,
    Pages,
    ParallelRollOuts,
    Ports,
    Proxy,
    ProxyChoice,
    ProxyKind,
    Refs,
    Repository,
    RequestLog,
    Resolver,
    ServerFile,
    Slugs,
    StorageFiles,
    Submodules,
    Trash,
)
from paas.settings import Settings
from paas.wiring.monitor import MonitorAdapters, monitor_adapters

PYTHON = "/usr/bin/python3"
PROXIES: dict[str, Callable[[Settings], ProxyKind]] = {
    "nginx": NginxProxy,
    "haproxy": HaproxyProxy,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapters(MonitorAdapters):
    """All that services know of the outside world, as the Protocols of interfaces.

    proxy and proxy_choice are the same object in a server.
    """

    repository: Repository
    refs: Refs
    importer: Importer
    submodules: Submodules
    buildpacks: BuildpackCatalog
    queue: BuildQueue
    slugs: Slugs
    parallel_roll_outs: ParallelRollOuts
    layers: Layers
    ports: Ports
    proxy: Proxy
    proxy_choice: ProxyChoice
    pages: Pages
    requests: RequestLog
    resolver: Resolver
    is_public_suffix: Callable[[HostName], bool]
    certificate_files: CertificateFiles
    certificate_reader: CertificateReader
    issuer: Issuer
    key_file: KeyFile
    key_reader: KeyReader
    hash_password: Callable[[Secret], str]
    storage_files: StorageFiles
    drain_process: DrainProcess
    server_file: ServerFile
    machine: Machine
    disk: Disk
    trash: Trash
    random_name: Callable[[], AppName]
    random_secret: Callable[[], str]
    random_token: Callable[[], str]


def _chosen_proxy(settings: Settings) -> ChosenProxy:
    program = HaproxyProgram(settings)
    switches: dict[str, Switch] = {"nginx": ToNginx(), "haproxy": ToHaproxy(program)}
    return ChosenProxy(settings, PROXIES, switches)


def _client(settings: Settings) -> Path:
    return settings.paths.current / "paas/entrypoints/client.py"


def _key_file(settings: Settings, account_gid: int) -> KeyFile:
    command = [PYTHON, "-I", "-S", str(_client(settings)), "--paas-etc", str(settings.etc), "--as"]
    return AuthorizedKeys(settings.paths.authorized_keys, command, gid=account_gid)


def server_adapters(settings: Settings, database: Path | None = None) -> Adapters:
    """The adapters of a server. Opens nothing: files and connections open on first use.

    database: in place of the server's own, to read from.
    """
    shared = monitor_adapters(settings, database)
    account = pwd.getpwnam(settings.account)
    owner = (account.pw_uid, account.pw_gid)
    paths = settings.paths
    proxy = _chosen_proxy(settings)
    return Adapters(
        settings=settings,
        addresses=shared.addresses,
        clock=shared.clock,
        store=shared.store,
        logs=shared.logs,
        engines=shared.engines,
        probe=shared.probe,
        locks=shared.locks,
        schedules=shared.schedules,
        bookmark=shared.bookmark,
        reserve=shared.reserve,
        store_recovery=shared.store_recovery,
        copies=shared.copies,
        repository=DulwichRepository(
            paths.git,
            owner,
            max_bytes=settings.max_tree_mib * 1024**2,
            max_files=settings.max_tree_files,
        ),
        refs=GitRefs(paths.git, owner),
        importer=SandboxImporter(settings, paths.git, owner),
        submodules=SandboxSubmodules(settings),
        buildpacks=FileBuildpacks(settings),
        queue=FlockBuildQueue(settings.paths.build_queue, settings.max_builds),
        slugs=FileSlugs(paths, min_free_mib=settings.min_free_mib),
        parallel_roll_outs=through_gate(_client(settings), settings.etc),
        layers=LiveLayers(),
        ports=LocalPorts(settings),
        proxy=proxy,
        proxy_choice=proxy,
        pages=FilePages(paths.pages),
        requests=RouterLog(paths.logs),
        resolver=SystemResolver(settings),
        is_public_suffix=is_public_suffix,
        certificate_files=CertificateDirectory(paths.certificates),
        certificate_reader=X509Reader(),
        issuer=Certbot(settings),
        key_file=_key_file(settings, account.pw_gid),
        key_reader=SshKeygenKeyReader(),
        hash_password=hash_password,
        storage_files=FileStorage(paths.storage),
        drain_process=DrainPositions(settings),
        server_file=ServerYml(settings.paths.server_yml),
        machine=ServerMachine(settings),
        disk=DiskMeter(paths),
        trash=FileTrash(settings, shared.clock),
        random_name=random_name,
        random_secret=random_secret,
        random_token=random_token,
    )
