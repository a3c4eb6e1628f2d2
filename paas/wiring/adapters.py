"""The adapters of one server: each is made once, here, and several services share it."""

import pwd
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from paas.adapters.backups.encrypted import open_target
from paas.adapters.builds.buildpack_fetcher import SandboxBuildpackFetcher
from paas.adapters.builds.catalog import FileBuildpacks
from paas.adapters.builds.commit_statuses import SandboxStatuses
from paas.adapters.builds.importer import SandboxImporter
from paas.adapters.builds.queue import FlockBuildQueue
from paas.adapters.builds.slugs import FileSlugs
from paas.adapters.builds.submodules import SandboxSubmodules
from paas.adapters.builds.yaml_text import read_yaml
from paas.adapters.certificates.certbot import Certbot
from paas.adapters.certificates.files import CertificateDirectory
from paas.adapters.certificates.reader import X509Reader
from paas.adapters.certificates.web_certificate import WebCertificateDirectory
from paas.adapters.cluster.machines import SshMachines
from paas.adapters.cluster.moves import GateMoves
from paas.adapters.cluster.registry import DockerRegistry
from paas.adapters.cluster.swarm import SwarmCluster, keep_manager
from paas.adapters.datastores.clients import FileClients
from paas.adapters.datastores.file_check import DatastoreFileCheck
from paas.adapters.datastores.mysql.catching_up import MariadbFiles
from paas.adapters.datastores.mysql.dumps import MariadbDumps
from paas.adapters.datastores.mysql.external import ExternalMysql
from paas.adapters.datastores.mysql.external_dumps import ExternalMysqlDumps
from paas.adapters.datastores.mysql.server import MariadbServer
from paas.adapters.datastores.pgbouncer.pooler import PgBouncers
from paas.adapters.datastores.postgresql.archive import PgBackRestArchives
from paas.adapters.datastores.postgresql.dumps import PostgresqlDumps
from paas.adapters.datastores.postgresql.external import ExternalPostgresql
from paas.adapters.datastores.postgresql.external_dumps import ExternalPostgresqlDumps
from paas.adapters.datastores.postgresql.followers import PostgresqlFollowers
from paas.adapters.datastores.postgresql.reports import PostgresqlReports
from paas.adapters.datastores.postgresql.server import PostgresqlServer
from paas.adapters.datastores.postgresql.tuning import PostgresqlTuning
from paas.adapters.datastores.postgresql.upgrading import PostgresqlUpgrading
from paas.adapters.datastores.reach import NetworkReach
from paas.adapters.datastores.redis.dumps import RedisDumps
from paas.adapters.datastores.redis.external import ExternalRedis
from paas.adapters.datastores.redis.server import RedisServer
from paas.adapters.datastores.server_log import DatastoreLogFiles
from paas.adapters.docker.images import Images
from paas.adapters.docker.slug_images import DockerSlugImages
from paas.adapters.docker.sources import DockerImageSource
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
from paas.adapters.server.machine import ServerMachine
from paas.adapters.server.parallel_roll_outs import through_gate
from paas.adapters.server.server_yml import ServerYml
from paas.adapters.server.trash import FileTrash
from paas.adapters.ssh.authorized_keys import AuthorizedKeys
from paas.adapters.ssh.deploy_keys import new_deploy_key
from paas.adapters.ssh.public_keys import SshKeygenKeyReader
from paas.adapters.streams.capability_files import CapabilityFiles
from paas.adapters.supervisor.client import Supervisor
from paas.adapters.system.last_uses import FileLastUses
from paas.adapters.system.passwords import hash_password
from paas.adapters.system.random_names import (
    random_characters,
    random_name,
    random_secret,
    random_token,
)
from paas.adapters.system.storage_files import FileStorage
from paas.domain.backups.targets import Target
from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.git.credentials import DeployKey
from paas.domain.releases.artifacts import NATIVE
from paas.domain.routing.hosts import HostName
from paas.domain.values.names import AppName
from paas.domain.values.secret import Secret
from paas.interfaces import (
    BuildpackCatalog,
    BuildpackFetcher,
    BuildQueue,
    Capabilities,
    CertificateFiles,
    CertificateReader,
    Cluster,
    CommitStatuses,
    ConnectionPoolers,
    DatastoreClients,
    DatastoreDumps,
    DatastoreFiles,
    DatastoreFollowers,
    DatastoreLogs,
    DatastoreReports,
    DatastoreServer,
    DrainProcess,
    EncryptedObjects,
    ExternalDumps,
    ExternalServer,
    FileUpgrades,
    ImageRegistry,
    ImageSource,
    Importer,
    Issuer,
    KeyFile,
    KeyReader,
    LastUses,
    Layers,
    Machine,
    MajorUpgrades,
    Moves,
    NodeMachines,
    OrderTurns,
    Pages,
    ParallelRollOuts,
    Ports,
    PostgresqlServers,
    Proxy,
    ProxyChoice,
    ProxyKind,
    Reach,
    RedisServers,
    Refs,
    Repository,
    RequestLog,
    Resolver,
    ServerFile,
    SlugImages,
    Slugs,
    StorageFiles,
    Submodules,
    Trash,
    WebCertificateFiles,
)
from paas.settings import Settings
from paas.wiring.monitor import MonitorAdapters, monitor_adapters, order_turns

PYTHON = "/usr/bin/python3"
PROXIES: dict[str, Callable[[Settings], ProxyKind]] = {
    "nginx": NginxProxy,
    "haproxy": HaproxyProxy,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapters(MonitorAdapters):
    """All that services know of the outside world, as the Protocols of interfaces.

    proxy and proxy_choice are the same object in a server, and so are redis and that of
    datastore_servers.
    """

    repository: Repository
    refs: Refs
    importer: Importer
    submodules: Submodules
    buildpack_fetcher: BuildpackFetcher
    commit_statuses: CommitStatuses
    buildpacks: BuildpackCatalog
    read_yaml: Callable[[bytes, str], object]
    image_source: ImageSource
    slug_images: SlugImages
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
    order_turns: OrderTurns
    web_certificate_files: WebCertificateFiles
    key_file: KeyFile
    key_reader: KeyReader
    key_uses: LastUses
    token_uses: LastUses
    capabilities: Capabilities
    hash_password: Callable[[Secret], str]
    storage_files: StorageFiles
    drain_process: DrainProcess
    server_file: ServerFile
    machine: Machine
    cluster: Cluster
    node_machines: NodeMachines
    moves: Moves
    node_registry: ImageRegistry
    trash: Trash
    datastore_servers: Mapping[DatastoreKind, DatastoreServer]
    datastore_followers: Mapping[DatastoreKind, DatastoreFollowers]
    datastore_clients: DatastoreClients
    datastore_files: DatastoreFiles
    datastore_logs: DatastoreLogs
    datastore_reports: Mapping[DatastoreKind, DatastoreReports]
    file_upgrades: Mapping[DatastoreKind, FileUpgrades]
    poolers: ConnectionPoolers
    external_servers: Mapping[DatastoreKind, ExternalServer]
    external_dumps: Mapping[DatastoreKind, ExternalDumps]
    reach: Reach
    redis: RedisServers
    postgresql: PostgresqlServers
    major_upgrades: MajorUpgrades
    datastore_dumps: Mapping[DatastoreKind, DatastoreDumps]
    open_backup_target: Callable[[Target], EncryptedObjects]
    random_name: Callable[[], AppName]
    random_secret: Callable[[], str]
    random_token: Callable[[], str]
    random_characters: Callable[[int], str]
    new_deploy_key: Callable[[str], DeployKey]


def _chosen_proxy(settings: Settings) -> ChosenProxy:
    program = HaproxyProgram(settings)
    switches: dict[str, Switch] = {"nginx": ToNginx(), "haproxy": ToHaproxy(program)}
    return ChosenProxy(settings, PROXIES, switches)


def _client(settings: Settings) -> Path:
    return settings.paths.current / "paas/entrypoints/client.py"


def _key_file(settings: Settings, account_gid: int) -> KeyFile:
    command = [PYTHON, "-I", "-S", str(_client(settings)), "--paas-etc", str(settings.etc), "--as"]
    return AuthorizedKeys(
        settings.paths.authorized_keys,
        command,
        gid=account_gid,
        authorities=settings.authorities,
    )


def server_adapters(settings: Settings, database: Path | None = None) -> Adapters:
    """The adapters of a server. Opens nothing: files and connections open on first use.

    database: in place of the server's own, to read from.
    """
    shared = monitor_adapters(settings, database)
    account = pwd.getpwnam(settings.account)
    owner = (account.pw_uid, account.pw_gid)
    paths = settings.paths
    proxy = _chosen_proxy(settings)
    mysql = MariadbServer(settings)
    redis = RedisServer(settings)
    archives = PgBackRestArchives(settings, shared.backup_settings)
    postgresql = PostgresqlServer(settings, archives)
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
        audit_trail=shared.audit_trail,
        store_recovery=shared.store_recovery,
        copies=shared.copies,
        backup_settings=shared.backup_settings,
        datastore_archives=shared.datastore_archives,
        repository=DulwichRepository(
            paths.git,
            owner,
            max_bytes=settings.max_tree_mib * 1024**2,
            max_files=settings.max_tree_files,
        ),
        refs=GitRefs(paths.git, owner),
        importer=SandboxImporter(settings, paths.git, owner),
        submodules=SandboxSubmodules(settings),
        buildpack_fetcher=SandboxBuildpackFetcher(settings),
        commit_statuses=SandboxStatuses(settings),
        buildpacks=FileBuildpacks(settings),
        read_yaml=read_yaml,
        image_source=DockerImageSource(settings),
        slug_images=DockerSlugImages(settings, shared.clock),
        queue=FlockBuildQueue(settings.paths.build_queue, settings.max_builds),
        slugs=FileSlugs(
            paths,
            min_free_mib=settings.min_free_mib,
            images=Images(settings),
            dependencies_of=shared.store.slugs.dependencies_of,
        ),
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
        order_turns=order_turns(settings),
        web_certificate_files=WebCertificateDirectory(settings),
        key_file=_key_file(settings, account.pw_gid),
        key_reader=SshKeygenKeyReader(),
        key_uses=FileLastUses(paths.key_uses),
        token_uses=FileLastUses(paths.token_uses),
        capabilities=CapabilityFiles(paths.capabilities),
        uploads=shared.uploads,
        hash_password=hash_password,
        storage_files=FileStorage(paths.storage),
        drain_process=DrainPositions(settings),
        server_file=ServerYml(settings.paths.server_yml),
        machine=ServerMachine(settings),
        cluster=SwarmCluster(settings, keep_manager(settings)),
        node_machines=SshMachines(settings),
        moves=GateMoves(_client(settings), settings.etc),
        node_registry=DockerRegistry(settings, Supervisor(paths.supervisor_socket)),
        disk=shared.disk,
        metrics_files=shared.metrics_files,
        notifier=shared.notifier,
        read_only_switches=shared.read_only_switches,
        follower_standings=shared.follower_standings,
        trash=FileTrash(settings, shared.clock),
        datastore_servers={
            DatastoreKind.POSTGRESQL: postgresql,
            DatastoreKind.MYSQL: mysql,
            DatastoreKind.REDIS: redis,
        },
        redis=redis,
        postgresql=PostgresqlTuning(paths),
        major_upgrades=PostgresqlUpgrading(settings, archives),
        datastore_followers={DatastoreKind.POSTGRESQL: PostgresqlFollowers(settings, postgresql)},
        datastore_clients=FileClients(settings),
        datastore_files=DatastoreFileCheck(paths),
        datastore_logs=DatastoreLogFiles(paths),
        datastore_reports={DatastoreKind.POSTGRESQL: PostgresqlReports(paths)},
        datastore_dumps={
            DatastoreKind.POSTGRESQL: PostgresqlDumps(settings),
            DatastoreKind.MYSQL: MariadbDumps(settings),
            DatastoreKind.REDIS: RedisDumps(settings, redis, shared.engines.named(NATIVE).runtime),
        },
        file_upgrades={DatastoreKind.MYSQL: MariadbFiles(settings)},
        open_backup_target=partial(
            open_target,
            settings=shared.backup_settings,
            own=paths.backups,
            ca_file=settings.build_env.get("SSL_CERT_FILE"),
        ),
        poolers=PgBouncers(settings, postgresql),
        external_servers={
            DatastoreKind.POSTGRESQL: ExternalPostgresql(),
            DatastoreKind.MYSQL: ExternalMysql(),
            DatastoreKind.REDIS: ExternalRedis(),
        },
        external_dumps={
            DatastoreKind.POSTGRESQL: ExternalPostgresqlDumps(settings),
            DatastoreKind.MYSQL: ExternalMysqlDumps(settings),
        },
        reach=NetworkReach(settings),
        random_name=random_name,
        random_secret=random_secret,
        random_token=random_token,
        random_characters=random_characters,
        new_deploy_key=new_deploy_key,
    )
