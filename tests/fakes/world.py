"""A whole platform whose outside world is in memory, but for the database in a temporary file."""

import itertools
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from paas.adapters.builds.uploads import UploadFiles
from paas.adapters.builds.yaml_text import read_yaml
from paas.adapters.datastores.server_log import DatastoreLogFiles
from paas.adapters.metrics.files import MetricsDirectory
from paas.adapters.proxy.pages_files import FilePages
from paas.adapters.server.disk_meter import DiskMeter
from paas.adapters.server.server_yml import ServerYml
from paas.adapters.streams.capability_files import CapabilityFiles
from paas.adapters.system.bookmark_file import FileBookmark
from paas.adapters.system.schedules import CronSimSchedules
from paas.adapters.system.storage_files import FileStorage
from paas.domain.apps.apps import App
from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.git.credentials import DeployKey
from paas.domain.people.actors import Actor
from paas.domain.people.users import Role
from paas.domain.releases.artifacts import NATIVE
from paas.domain.routing.addresses import Addresses
from paas.domain.values.names import AppName, UserName
from paas.domain.values.secret import Secret
from paas.interfaces import Engine, Engines
from paas.services.builds.build import Push
from paas.settings import Settings
from paas.store import Store
from paas.store.copies import Copies
from paas.store.creation import create
from paas.store.mark import MarkFile
from paas.store.recovery import DatabaseRecovery
from paas.store.server_keys import ServerKeys
from paas.wiring.adapters import Adapters
from paas.wiring.services import all_services
from tests.fakes.archives import FakeArchives
from tests.fakes.audit import FakeAuditTrail
from tests.fakes.backups import FakeBackupSettings, TargetsInMemory
from tests.fakes.build_queue import FakeBuildQueue
from tests.fakes.buildpacks import FakeBuilder, FakeCatalog
from tests.fakes.certificates import (
    FakeCertificateFiles,
    FakeCertificateReader,
    FakeIssuer,
    FakeOrderTurns,
    FakeWebCertificateFiles,
)
from tests.fakes.cluster import FakeCluster, FakeImageRegistry, FakeMoves, FakeNodeMachines
from tests.fakes.datastore_reports import FakeDatastoreReports
from tests.fakes.datastores import (
    FakeDatastoreClients,
    FakeDatastoreFiles,
    FakeDatastoreServer,
    FakeDumps,
    FakeExternalDumps,
    FakeExternalServer,
    FakeReach,
    FakeRedis,
)
from tests.fakes.files import FakeSlugs
from tests.fakes.followers import FakeFollowers
from tests.fakes.guarding import FakeKeys, FakeLastUses, FakeLocks, FakeReserve
from tests.fakes.images import FakeImageSource, FakeSlugImages
from tests.fakes.importer import (
    FakeBuildpackFetcher,
    FakeImporter,
    FakeStatuses,
    FakeSubmodules,
)
from tests.fakes.machine import FakeMachine
from tests.fakes.notifications import KeptNotifications
from tests.fakes.one_off import FakeOneOff
from tests.fakes.output import FakeClock, FakeDrainProcess, FakeLogs, FakeProgress, FakeRequestLog
from tests.fakes.poolers import FakePoolers
from tests.fakes.ports import FakePorts, FakeProbe
from tests.fakes.postgresql import FakeMajorUpgrades, FakePostgresql
from tests.fakes.proxy import FakeProxy
from tests.fakes.repository import FakeRefs, FakeRepository
from tests.fakes.resolver import FakeResolver
from tests.fakes.runs import FakeRuns
from tests.fakes.runtime import FakeLayers, FakeParallelRollOuts, FakeRuntime
from tests.fakes.trash import FakeTrash

ROOT = Actor(None)


@cache
def _empty_store() -> tuple[bytes, bytes]:
    """A database and its mark. It is made once: all migrations take longer than most tests."""
    with tempfile.TemporaryDirectory() as name:
        database = Path(name, "state.db")
        create(database)
        return database.read_bytes(), MarkFile(database).path.read_bytes()


@dataclass
class World:
    """Everything at hand: the services under test and the fakes around them."""

    folder: Path
    clock: FakeClock = field(default_factory=FakeClock)
    logs: FakeLogs = field(default_factory=FakeLogs)
    drain_process: FakeDrainProcess = field(default_factory=FakeDrainProcess)
    reserve: FakeReserve = field(default_factory=FakeReserve)
    audit_trail: FakeAuditTrail = field(default_factory=FakeAuditTrail)
    locks: FakeLocks = field(default_factory=FakeLocks)
    machine: FakeMachine = field(default_factory=FakeMachine)
    cluster: FakeCluster = field(default_factory=FakeCluster)
    node_machines: FakeNodeMachines = field(init=False)
    moves: FakeMoves = field(default_factory=FakeMoves)
    node_registry: FakeImageRegistry = field(default_factory=FakeImageRegistry)
    repository: FakeRepository = field(default_factory=FakeRepository)
    refs: FakeRefs = field(default_factory=FakeRefs)
    slugs: FakeSlugs = field(default_factory=FakeSlugs)
    buildpack_fetcher: FakeBuildpackFetcher = field(default_factory=FakeBuildpackFetcher)
    submodules: FakeSubmodules = field(default_factory=FakeSubmodules)
    commit_statuses: FakeStatuses = field(default_factory=FakeStatuses)
    importer: FakeImporter = field(default_factory=FakeImporter)
    builder: FakeBuilder = field(default_factory=FakeBuilder)
    image_builder: FakeBuilder = field(default_factory=lambda: FakeBuilder(shares_cache=True))
    image_source: FakeImageSource = field(default_factory=FakeImageSource)
    slug_images: FakeSlugImages = field(default_factory=FakeSlugImages)
    queue: FakeBuildQueue = field(default_factory=FakeBuildQueue)
    ports: FakePorts = field(default_factory=FakePorts)
    probe: FakeProbe = field(default_factory=FakeProbe)
    runtime: FakeRuntime = field(default_factory=FakeRuntime)
    proxy: FakeProxy = field(default_factory=FakeProxy)
    parallel_roll_outs: FakeParallelRollOuts = field(default_factory=FakeParallelRollOuts)
    layers: FakeLayers = field(default_factory=FakeLayers)
    runs: FakeRuns = field(default_factory=FakeRuns)
    key_file: FakeKeys = field(default_factory=FakeKeys)
    key_uses: FakeLastUses = field(default_factory=FakeLastUses)
    token_uses: FakeLastUses = field(default_factory=FakeLastUses)
    one_off: FakeOneOff = field(default_factory=FakeOneOff)
    requests: FakeRequestLog = field(default_factory=FakeRequestLog)
    certificate_files: FakeCertificateFiles = field(default_factory=FakeCertificateFiles)
    certificate_reader: FakeCertificateReader = field(default_factory=FakeCertificateReader)
    issuer: FakeIssuer = field(default_factory=FakeIssuer)
    order_turns: FakeOrderTurns = field(default_factory=FakeOrderTurns)
    web_certificate_files: FakeWebCertificateFiles = field(default_factory=FakeWebCertificateFiles)
    resolver: FakeResolver = field(default_factory=FakeResolver)
    progress: FakeProgress = field(default_factory=FakeProgress)
    secrets: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    live: list[str] = field(default_factory=list)
    domain_proof: str = "dns"
    docker: bool = False
    web: bool = False
    auto_certificates: bool = False
    tcp_ports: tuple[int, int] = (5_400, 5_499)
    datastore_server: FakeDatastoreServer = field(default_factory=FakeDatastoreServer)
    datastore_followers: FakeFollowers = field(init=False)
    datastore_reports: FakeDatastoreReports = field(default_factory=FakeDatastoreReports)
    datastore_clients: FakeDatastoreClients = field(default_factory=FakeDatastoreClients)
    postgresql_servers: FakePostgresql = field(default_factory=FakePostgresql)
    datastore_files: FakeDatastoreFiles = field(default_factory=FakeDatastoreFiles)
    major_upgrades: FakeMajorUpgrades = field(default_factory=FakeMajorUpgrades)
    redis_servers: FakeRedis = field(default_factory=FakeRedis)
    datastore_dumps: FakeDumps = field(default_factory=FakeDumps)
    datastore_archives: FakeArchives = field(default_factory=FakeArchives)
    random_name: str = "quiet-otter-1234"
    backup_settings: FakeBackupSettings = field(default_factory=FakeBackupSettings)
    backup_targets: TargetsInMemory = field(default_factory=TargetsInMemory)
    poolers: FakePoolers = field(default_factory=FakePoolers)

    external_server: FakeExternalServer = field(default_factory=FakeExternalServer)
    external_dumps: FakeExternalDumps = field(default_factory=FakeExternalDumps)
    notifier: KeptNotifications = field(default_factory=KeptNotifications)
    reach: FakeReach = field(default_factory=FakeReach)

    def __post_init__(self) -> None:
        self.progress.when_live = self._note_live
        self.datastore_server.is_running = lambda id: id in self.runtime.running
        self.node_machines = FakeNodeMachines(self.cluster)
        self.datastore_followers = FakeFollowers(self.datastore_server)
        self.poolers.is_running = lambda id: id in self.runtime.running
        self.poolers.logins = self.datastore_server.logins
        self.ports.listening = self.runtime.all_ports
        self.pages = FilePages(self.folder / "pages")
        self.storage_files = FileStorage(self.folder / "storage")
        self.folder.mkdir(exist_ok=True)
        database = self.folder / "state.db"
        for path, content in zip((database, MarkFile(database).path), _empty_store(), strict=True):
            path.write_bytes(content)
            path.chmod(0o600)
        self.settings = Settings(
            state=self.folder,
            run=self.folder / "run",
            domain="example.com",
            uids=(70000, 70009),
            tcp_ports=self.tcp_ports,
            keep_slugs=2,
            max_domains=10,
            domain_proof=self.domain_proof,
            docker=self.docker,
            web=self.web,
            auto_certificates=self.auto_certificates,
        )
        server_keys = ServerKeys(self.folder / "server.key")
        server_keys.create()
        self.store = Store(database, self.settings.ranges, server_keys)
        self.server_yml = self.folder / "server.yml"
        self.server_yml.write_text("domain: example.com\n")
        self.bookmark = FileBookmark(self.settings.paths.cron)
        self.metrics_files = MetricsDirectory(self.settings.paths.metrics)
        self.schedules = CronSimSchedules()  # pure, so no fake
        self.by_name = {
            NATIVE: Engine(
                builder=self.builder, runtime=self.runtime, one_off=self.one_off, runs=self.runs
            )
        }
        self.engines = Engines(self.by_name)
        self.trash = FakeTrash(self)
        self.adapters = self._make_adapters(database)
        made = all_services(self.adapters)
        self.access = made.access
        self.acme = made.acme
        self.web_certificates = made.web_certificates
        self.https = made.https
        self.wildcards = made.wildcards
        self.admission = made.admission
        self.audit = made.audit
        self.app_checks = made.app_checks
        self.apps = made.apps
        self.archive_jobs = made.archive_jobs
        self.archive_schedule = made.archive_jobs.schedule
        self.archive_watch = made.archive_watch
        self.backups = made.backups
        self.buildpacks = made.buildpacks
        self.builds = made.builds
        self.captures = made.captures
        self.certificates = made.certificates
        self.cloning = made.cloning
        self.config = made.config
        self.cron = made.cron
        self.attachments = made.attachments
        self.datastores = made.datastores
        self.diagnosing = made.diagnosing
        self.deploy_on_push = made.deploy_on_push
        self.diffs = made.diffs
        self.externals = made.externals
        self.disk = made.disk
        self.doctor = made.doctor
        self.domains = made.domains
        self.paths = made.paths
        self.drains = made.drains
        self.dump_schedules = made.dump_schedules
        self.dumps = made.dumps
        self.contents = made.contents
        self.dump_recovery = made.dump_recovery
        self.forks = made.forks
        self.datastore_overview = made.datastore_overview
        self.git_credentials = made.git_credentials
        self.image_builds = made.image_builds
        self.image_imports = made.image_imports
        self.runtime_images = made.runtime_images
        self.followers = made.followers
        self.imports = made.imports
        self.keys = made.keys
        self.moving = made.moving
        self.nodes = made.nodes
        self.app_runs = made.app_runs
        self.metrics = made.metrics
        self.notifications = made.notifications
        self.pipelines = made.pipelines
        self.preview_deploys = made.preview_deploys
        self.previews = made.previews
        self.processes = made.processes
        self.promotions = made.promotions
        self.proxies = made.proxies
        self.pushes = made.pushes
        self.quotas = made.quotas
        self.pooling = made.pooling
        self.plan_changes = made.plan_changes
        self.postgresql = made.postgresql
        self.upgrades = made.upgrades
        self.redis = made.redis
        self.reconcile = made.reconcile
        self.recovery = made.recovery
        self.releases = made.releases
        self.rotation = made.rotation
        self.datastore_sessions = made.datastore_sessions
        self.resources = made.resources
        self.router = made.router
        self.sandbox = made.sandbox
        self.sites = made.sites
        self.statics = made.statics
        self.ports_of_apps = made.tcp_ports
        self.storage = made.storage
        self.scheduling = made.scheduling
        self.maintenance = made.maintenance
        self.tokens = made.tokens
        self.users = made.users
        # What services are made of.
        self.deploys = made.pushes.deploys
        self.draining = made.reconcile.changes.draining
        self.pruning = self.deploys.pruning
        self.rollout = made.reconcile.changes.rollout
        self.parallel_roll_outs.start = made.reconcile.roll_out_again
        self.moves.start = made.moving.move

    def _make_adapters(self, database: Path) -> Adapters:
        return Adapters(
            settings=self.settings,
            addresses=Addresses("example.com", 80, 22, "paas", 443),
            clock=self.clock,
            store=self.store,
            logs=self.logs,
            engines=self.engines,
            probe=self.probe,
            locks=self.locks,
            schedules=self.schedules,
            bookmark=self.bookmark,
            reserve=self.reserve,
            audit_trail=self.audit_trail,
            store_recovery=DatabaseRecovery(database, self.store.database.keys),
            copies=Copies(database, self.store.database.keys),
            read_only_switches=dict.fromkeys(DatastoreKind, self.datastore_server),
            repository=self.repository,
            refs=self.refs,
            importer=self.importer,
            submodules=self.submodules,
            buildpack_fetcher=self.buildpack_fetcher,
            commit_statuses=self.commit_statuses,
            buildpacks=FakeCatalog(),
            read_yaml=read_yaml,  # pure, so no fake
            image_source=self.image_source,
            slug_images=self.slug_images,
            queue=self.queue,
            slugs=self.slugs,
            parallel_roll_outs=self.parallel_roll_outs,
            layers=self.layers,
            ports=self.ports,
            proxy=self.proxy,
            proxy_choice=self.proxy,
            pages=self.pages,
            requests=self.requests,
            resolver=self.resolver,
            is_public_suffix=lambda host: host == "co.uk" or "." not in host,
            certificate_files=self.certificate_files,
            certificate_reader=self.certificate_reader,
            issuer=self.issuer,
            order_turns=self.order_turns,
            web_certificate_files=self.web_certificate_files,
            key_file=self.key_file,
            key_reader=self.key_file,
            key_uses=self.key_uses,
            token_uses=self.token_uses,
            capabilities=CapabilityFiles(self.folder / "capabilities"),
            uploads=UploadFiles(self.folder / "uploads"),
            hash_password=lambda password: f"$hash${len(password.reveal())}",
            storage_files=self.storage_files,
            drain_process=self.drain_process,
            server_file=ServerYml(self.server_yml),
            machine=self.machine,
            cluster=self.cluster,
            node_machines=self.node_machines,
            moves=self.moves,
            node_registry=self.node_registry,
            disk=DiskMeter(self.settings.paths),
            metrics_files=self.metrics_files,
            notifier=self.notifier,
            trash=self.trash,
            datastore_servers=dict.fromkeys(DatastoreKind, self.datastore_server),
            datastore_followers={DatastoreKind.POSTGRESQL: self.datastore_followers},
            follower_standings={DatastoreKind.POSTGRESQL: self.datastore_followers},
            datastore_clients=self.datastore_clients,
            datastore_files=self.datastore_files,
            datastore_reports={DatastoreKind.POSTGRESQL: self.datastore_reports},
            datastore_logs=DatastoreLogFiles(self.settings.paths),
            file_upgrades={DatastoreKind.MYSQL: self.datastore_server},
            external_servers=dict.fromkeys(DatastoreKind, self.external_server),
            external_dumps=dict.fromkeys(
                (DatastoreKind.POSTGRESQL, DatastoreKind.MYSQL), self.external_dumps
            ),
            reach=self.reach,
            redis=self.redis_servers,
            postgresql=self.postgresql_servers,
            datastore_dumps=dict.fromkeys(DatastoreKind, self.datastore_dumps),
            major_upgrades=self.major_upgrades,
            datastore_archives={DatastoreKind.POSTGRESQL: self.datastore_archives},
            backup_settings=self.backup_settings,
            open_backup_target=self.backup_targets,
            random_name=lambda: AppName(self.random_name),
            poolers=self.poolers,
            random_secret=lambda: f"secret-{next(self.secrets)}",
            random_token=lambda: f"d.{next(self.secrets)}",
            new_deploy_key=self._new_deploy_key,
            random_characters=lambda count: f"{next(self.secrets):0{8}}".ljust(count, "x"),
        )

    def _new_deploy_key(self, comment: str) -> DeployKey:
        number = next(self.secrets)
        return DeployKey(Secret(f"private-{number}"), f"ssh-ed25519 public-{number} {comment}")

    def user(self, name: str, role: Role = Role.MEMBER) -> Actor:
        """A user who may come in."""
        return Actor(self.store.users.add(UserName(name), role, self.clock.now()))

    def actor(self, name: str) -> Actor:
        """One who is there already."""
        return Actor(self.store.users.find(UserName(name)))

    def app(self, name: str = "shop", actor: Actor = ROOT) -> App:
        """An app that was never deployed."""
        return self.apps.create(actor, AppName(name))

    def push(self, name: str = "shop", commit: str = "a" * 40) -> None:
        """Deploy a commit of an app."""
        app = self.store.apps.find(name)
        assert app is not None
        self.deploys.deploy(Push(app, commit, None, ROOT), self.progress)

    def _note_live(self) -> None:
        """Note what the proxy serves at the moment when the pusher gets the answer."""
        self.live.append(f"{self.proxy.ports('shop.example.com')}")

    def environment(self, name: str = "shop") -> Mapping[str, str]:
        """What the live web.1 was started with."""
        started = [s for s in self.runtime.running.values() if s.label == "web.1"]
        return {key: value.reveal() for key, value in started[-1].env.items()}
