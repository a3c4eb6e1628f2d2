"""A whole platform whose outside world is in memory, but for the database in a temporary file."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from paas.adapters.proxy.pages_files import FilePages
from paas.adapters.system.schedules import CronSimSchedules
from paas.adapters.system.storage_files import FileStorage
from paas.domain.apps.apps import Actor, App, Role
from paas.domain.certificates.acme import LETS_ENCRYPT
from paas.domain.releases.start_limits import StartLimits
from paas.domain.routing.addresses import Addresses
from paas.domain.values.names import AppName, UserName
from paas.services.apps.apps import Apps
from paas.services.apps.check_settings import AppChecks
from paas.services.apps.config import Config
from paas.services.apps.destruction import Destruction
from paas.services.apps.keys import Keys
from paas.services.apps.maintenance import Maintenance
from paas.services.apps.processes import Processes
from paas.services.apps.storage import Storages
from paas.services.builds.build import Push, SlugMaker
from paas.services.builds.buildpacks import Buildpacks
from paas.services.builds.builds import Builds
from paas.services.builds.trees import Trees
from paas.services.certificates.acme import Acme
from paas.services.certificates.certificates import Certificates
from paas.services.certificates.renewals import Renewals
from paas.services.deploys.cloning import Cloning
from paas.services.deploys.deploys import Deploys
from paas.services.deploys.imports import Imports
from paas.services.deploys.pushes import Pushes
from paas.services.logs.drains import Drains
from paas.services.releases.changes import Changes
from paas.services.releases.diffs import Diffs
from paas.services.releases.draining import Draining
from paas.services.releases.earlier import EarlierReleases
from paas.services.releases.losses import LossWarning
from paas.services.releases.pruning import Pruning
from paas.services.releases.release_commands import ReleaseCommands
from paas.services.releases.releases import Releases
from paas.services.releases.rollback_guard import RollbackGuard
from paas.services.releases.rollout import Rollout
from paas.services.releases.startup import Startup
from paas.services.routing.domains import Domains
from paas.services.routing.proxies import Proxies
from paas.services.routing.redirects import Redirects
from paas.services.routing.router import Router
from paas.services.routing.sites import Sites
from paas.services.routing.statics import Statics
from paas.services.runs.cron import Cron
from paas.services.runs.runs import OneOffs
from paas.services.server.diagnosis import Diagnosis
from paas.services.server.doctor import Doctor
from paas.services.server.garbage import Garbage
from paas.services.server.reconcile import Reconcile
from paas.services.server.store_rescue import Rescue
from paas.services.server.strays import Strays
from paas.store import Store
from paas.store.creation import create
from tests.fakes.build_queue import FakeBuildQueue
from tests.fakes.buildpacks import FakeCatalog, ScriptedBuilder
from tests.fakes.certificates import (
    FakeCertificateFiles,
    FakeCertificateReader,
    FakeIssuer,
)
from tests.fakes.files import FakeSlugs
from tests.fakes.ground import FakeGround, FakeKeeper
from tests.fakes.guarding import FakeKeys, FakeLocks, FakeReserve
from tests.fakes.importer import FakeImporter, FakeSubmodules
from tests.fakes.one_off import FakeOneOff
from tests.fakes.ports import FakePorts, FakeProbe
from tests.fakes.proxy import FakeProxy
from tests.fakes.repository import FakeRefs, FakeRepository
from tests.fakes.resolver import FakeResolver, FakeServerFile
from tests.fakes.runs import FakeRuns
from tests.fakes.runtime import FakeLayers, FakeRuntime, FakeSideBySide
from tests.fakes.saying import FakeClock, FakeDrainProcess, FakeLogs, FakeProgress, FakeRequestLog
from tests.fakes.trash import FakeTrash

ROOT = Actor(None)
LIMITS = StartLimits(60.0, 900.0)


@dataclass
class World:
    """Everything at hand: the services under test and the fakes around them."""

    folder: Path
    clock: FakeClock = field(default_factory=FakeClock)
    logs: FakeLogs = field(default_factory=FakeLogs)
    drain_process: FakeDrainProcess = field(default_factory=FakeDrainProcess)
    reserve: FakeReserve = field(default_factory=FakeReserve)
    locks: FakeLocks = field(default_factory=FakeLocks)
    ground: FakeGround = field(default_factory=FakeGround)
    keeper: FakeKeeper = field(default_factory=FakeKeeper)
    repository: FakeRepository = field(default_factory=FakeRepository)
    refs: FakeRefs = field(default_factory=FakeRefs)
    slugs: FakeSlugs = field(default_factory=FakeSlugs)
    submodules: FakeSubmodules = field(default_factory=FakeSubmodules)
    importer: FakeImporter = field(default_factory=FakeImporter)
    builder: ScriptedBuilder = field(default_factory=ScriptedBuilder)
    queue: FakeBuildQueue = field(default_factory=FakeBuildQueue)
    ports: FakePorts = field(default_factory=FakePorts)
    probe: FakeProbe = field(default_factory=FakeProbe)
    runtime: FakeRuntime = field(default_factory=FakeRuntime)
    proxy: FakeProxy = field(default_factory=FakeProxy)
    side_by_side: FakeSideBySide = field(default_factory=FakeSideBySide)
    layers: FakeLayers = field(default_factory=FakeLayers)
    runs: FakeRuns = field(default_factory=FakeRuns)
    key_file: FakeKeys = field(default_factory=FakeKeys)
    one_off: FakeOneOff = field(default_factory=FakeOneOff)
    requests: FakeRequestLog = field(default_factory=FakeRequestLog)
    certificate_files: FakeCertificateFiles = field(default_factory=FakeCertificateFiles)
    certificate_reader: FakeCertificateReader = field(default_factory=FakeCertificateReader)
    issuer: FakeIssuer = field(default_factory=FakeIssuer)
    progress: FakeProgress = field(default_factory=FakeProgress)
    secrets: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    live: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.progress.when_live = self._note_live
        self.ports.listening = self.runtime.all_ports
        self.pages = FilePages(self.folder / "pages")
        self.storage_files = FileStorage(self.folder / "storage")
        create(self.folder / "state.db")
        self.store = Store(self.folder / "state.db", (70000, 70009))
        self.schedules = CronSimSchedules()  # pure, so no fake
        addresses = Addresses("example.com", 80, 22, "paas", 443)
        self.release_commands = ReleaseCommands(
            one_off=self.one_off, slugs=self.slugs, logs=self.logs, limit_s=900.0
        )
        self.sites = Sites(
            store=self.store,
            proxy=self.proxy,
            slugs=self.slugs,
            pages=self.pages,
            locks=self.locks,
            certificate_files=self.certificate_files,
            addresses=addresses,
        )
        self.proxies = Proxies(
            store=self.store, sites=self.sites, choice=self.proxy, linger_limit_s=600.0
        )
        self.certificates = Certificates(
            store=self.store,
            sites=self.sites,
            reader=self.certificate_reader,
            files=self.certificate_files,
            locks=self.locks,
            clock=self.clock,
        )
        self.acme = Acme(
            store=self.store,
            renewals=Renewals(store=self.store, addresses=addresses, directory=LETS_ENCRYPT),
            issuer=self.issuer,
            certificates=self.certificates,
            locks=self.locks,
            logs=self.logs,
            clock=self.clock,
        )
        self.draining = Draining(
            store=self.store,
            runtime=self.runtime,
            proxy=self.proxy,
            locks=self.locks,
            logs=self.logs,
            clock=self.clock,
            drain_limit_s=30.0,
            stop_limit_s=30.0,
        )
        self.rollout = Rollout(
            store=self.store,
            runtime=self.runtime,
            proxy=self.proxy,
            ports=self.ports,
            slugs=self.slugs,
            logs=self.logs,
            sites=self.sites,
            startup=Startup(
                runtime=self.runtime,
                probe=self.probe,
                logs=self.logs,
                clock=self.clock,
            ),
            redirects=Redirects(sites=self.sites, probe=self.probe, behind_balancer=False),
            release_commands=self.release_commands,
            reserve=self.reserve,
            draining=self.draining,
            addresses=addresses,
            limits=LIMITS,
        )
        self.trash = FakeTrash(self)
        self.garbage = Garbage(
            store=self.store,
            locks=self.locks,
            slugs=self.slugs,
            storage_files=self.storage_files,
            pages=self.pages,
            logs=self.logs,
            repository=self.repository,
            runtime=self.runtime,
            proxy=self.proxy,
            certificate_files=self.certificate_files,
            trash=self.trash,
            stop_limit_s=30.0,
        )
        self.destruction = Destruction(
            store=self.store,
            proxy=self.proxy,
            runtime=self.runtime,
            runs=self.runs,
            certificate_files=self.certificate_files,
            garbage=self.garbage,
            locks=self.locks,
            stop_limit_s=30.0,
        )
        self.apps = Apps(
            destruction=self.destruction,
            store=self.store,
            repository=self.repository,
            proxy=self.proxy,
            locks=self.locks,
            reserve=self.reserve,
            clock=self.clock,
            sites=self.sites,
            addresses=addresses,
            random_name=lambda: AppName("quiet-otter-1234"),
        )
        self.diffs = Diffs(store=self.store, repository=self.repository, schedules=self.schedules)
        self.guard = RollbackGuard(
            store=self.store,
            runtime=self.runtime,
            requests=self.requests,
            logs=self.logs,
            clock=self.clock,
            window_s=30.0,
        )
        self.changes = Changes(
            store=self.store,
            logs=self.logs,
            draining=self.draining,
            rollout=self.rollout,
            guard=self.guard,
            earlier=EarlierReleases(
                store=self.store, diffs=self.diffs, logs=self.logs, clock=self.clock
            ),
            loss_warning=LossWarning(store=self.store, runtime=self.runtime, layers=self.layers),
        )
        self.releases = Releases(
            store=self.store, changes=self.changes, diffs=self.diffs, logs=self.logs
        )
        self.pruning = Pruning(
            store=self.store, slugs=self.slugs, runs=self.runs, keep_slugs=2, keep_slugs_mib=0
        )
        self.maker = SlugMaker(
            trees=Trees(
                store=self.store,
                repository=self.repository,
                submodules=self.submodules,
            ),
            store=self.store,
            repository=self.repository,
            builder=self.builder,
            queue=self.queue,
            slugs=self.slugs,
            release_commands=self.release_commands,
            schedules=self.schedules,
            clock=self.clock,
            random_secret=lambda: f"secret-{next(self.secrets)}",
            limits=LIMITS,
        )
        self.deploys = Deploys(
            store=self.store,
            repository=self.repository,
            maker=self.maker,
            queue=self.queue,
            slugs=self.slugs,
            pruning=self.pruning,
            changes=self.changes,
            sites=self.sites,
            reserve=self.reserve,
            release_commands=self.release_commands,
            logs=self.logs,
            clock=self.clock,
        )
        self.builds = Builds(
            store=self.store,
            queue=self.queue,
            slugs=self.slugs,
            reserve=self.reserve,
            locks=self.locks,
            logs=self.logs,
            clock=self.clock,
        )
        self.cloning = Cloning(
            store=self.store,
            repository=self.repository,
            apps=self.apps,
            deploys=self.deploys,
            locks=self.locks,
            clock=self.clock,
        )
        self.app_checks = AppChecks(store=self.store, limits=LIMITS)
        self.buildpacks = Buildpacks(store=self.store, catalog=FakeCatalog())
        self.config = Config(
            store=self.store,
            changes=self.changes,
            clock=self.clock,
        )
        self.statics = Statics(store=self.store, sites=self.sites)
        self.router = Router(
            store=self.store,
            proxy=self.proxy,
            sites=self.sites,
            hash_password=lambda password: f"$hash${len(password.reveal())}",
        )
        self.resolver = FakeResolver()
        self.server_file = FakeServerFile()
        self.domains = Domains(
            store=self.store,
            proxy=self.proxy,
            locks=self.locks,
            sites=self.sites,
            resolver=self.resolver,
            server=self.server_file,
            addresses=addresses,
            max_domains=10,
            is_public_suffix=lambda host: host == "co.uk" or "." not in host,
        )
        self.storage = Storages(
            store=self.store,
            files=self.storage_files,
            changes=self.changes,
            reserve=self.reserve,
        )
        self.maintenance = Maintenance(
            store=self.store,
            proxy=self.proxy,
            sites=self.sites,
            pages=self.pages,
            locks=self.locks,
            clock=self.clock,
        )
        self.processes = Processes(
            store=self.store,
            runtime=self.runtime,
            changes=self.changes,
            locks=self.locks,
        )
        self.one_offs = OneOffs(
            store=self.store,
            slugs=self.slugs,
            runs=self.runs,
            logs=self.logs,
            reserve=self.reserve,
            stop_limit_s=30.0,
        )
        self.cron = Cron(
            store=self.store,
            slugs=self.slugs,
            runs=self.runs,
            logs=self.logs,
            schedules=self.schedules,
            clock=self.clock,
            stop_limit_s=30.0,
        )
        self.pushes = Pushes(
            store=self.store,
            repository=self.repository,
            refs=self.refs,
            apps=self.apps,
            deploys=self.deploys,
            diffs=self.diffs,
        )
        self.drains = Drains(
            store=self.store,
            process=self.drain_process,
            locks=self.locks,
            new_token=lambda: f"d.{next(self.secrets)}",
            to_server=False,
        )
        self.keys = Keys(
            store=self.store,
            reader=self.key_file,
            file=self.key_file,
            locks=self.locks,
            clock=self.clock,
        )
        self.imports = Imports(
            store=self.store,
            repository=self.repository,
            refs=self.refs,
            importer=self.importer,
            deploys=self.deploys,
            locks=self.locks,
        )
        self.reconcile = Reconcile(
            storage_files=self.storage_files,
            garbage=self.garbage,
            destruction=self.destruction,
            importer=self.importer,
            drains=self.drains,
            one_off=self.one_off,
            runs=self.runs,
            store=self.store,
            repository=self.repository,
            builder=self.builder,
            runtime=self.runtime,
            proxy=self.proxy,
            slugs=self.slugs,
            logs=self.logs,
            locks=self.locks,
            keys=self.key_file,
            clock=self.clock,
            changes=self.changes,
            sites=self.sites,
            proxies=self.proxies,
            side_by_side=self.side_by_side,
            stop_limit_s=30.0,
        )
        self.side_by_side.start = self.reconcile.start_again

        strays = Strays(
            store=self.store,
            runtime=self.runtime,
            slugs=self.slugs,
            locks=self.locks,
            sites=self.sites,
            trash=self.trash,
        )
        self.doctor = Doctor(
            ground=self.ground,
            diagnosis=Diagnosis(
                store=self.store,
                repository=self.repository,
                importer=self.importer,
                builder=self.builder,
                runtime=self.runtime,
                runs=self.runs,
                one_off=self.one_off,
                ports=self.ports,
                storage_files=self.storage_files,
                slugs=self.slugs,
                locks=self.locks,
                keys=self.key_file,
                clock=self.clock,
                sites=self.sites,
                proxies=self.proxy,
                acme=self.acme,
                strays=strays,
            ),
            reconcile=self.reconcile,
            rescue=Rescue(store=self.store, keeper=self.keeper, trash=self.trash, locks=self.locks),
            store=self.store,
            deploys=self.deploys,
        )

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
        started = [s for s in self.runtime.running.values() if s.instance.label == "web.1"]
        return {key: value.reveal() for key, value in started[-1].env.items()}
