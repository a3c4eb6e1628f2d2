"""A whole platform whose outside world is in memory, but for the database in a temporary file."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from paas.adapters.schedules_cronsim import CronSimSchedules
from paas.adapters.store_sqlite import SqliteStore
from paas.domain.acme import LETS_ENCRYPT
from paas.domain.addresses import Addresses
from paas.domain.apps import Actor, App, Key, Role
from paas.domain.buildpacks import Buildpack
from paas.domain.diffs import Change, FileChange
from paas.domain.drains import Drain
from paas.domain.errors import PaasError
from paas.domain.health import Answer
from paas.domain.interfaces import Built, Commit, LogLine, Quarantine, Tree
from paas.domain.loglines import EVERY_LINE, LogFilter
from paas.domain.names import AppName, ProcessType, UserName
from paas.domain.releases import ConfigVars
from paas.domain.sites import SlugFolder
from paas.domain.watching import Answers
from paas.services.acme import Acme, Wishes
from paas.services.apps import Apps
from paas.services.buildpacks import Buildpacks
from paas.services.builds import Builds
from paas.services.certificates import Certificates
from paas.services.cloning import Cloning
from paas.services.config import Config
from paas.services.cron import Cron
from paas.services.deploys import Deploys
from paas.services.diffs import Diffs
from paas.services.domains import Domains
from paas.services.drains import Drains
from paas.services.imports import Imports
from paas.services.keys import Keys
from paas.services.phases import Phases
from paas.services.processes import Processes
from paas.services.proxies import Proxies
from paas.services.pruning import Pruning
from paas.services.pushes import Pushes
from paas.services.reconcile import Reconcile
from paas.services.releases import Releases
from paas.services.rollout import Rollout
from paas.services.router import Router
from paas.services.runs import OneOffs
from paas.services.sites import Sites
from paas.services.slug_maker import Push, SlugMaker
from paas.services.startup import Startup
from paas.services.statics import Statics
from paas.services.storage import Storages
from paas.services.trees import Trees
from paas.services.upkeep import Upkeep
from paas.services.watch import Watch
from tests.fakes.build_queue import FakeBuildQueue
from tests.fakes.certificates import FakeCertificateFiles, FakeCertificateReader, FakeIssuer
from tests.fakes.importer import FakeImporter, FakeSubmodules
from tests.fakes.one_off import FakeOneOff
from tests.fakes.proxy import FakeProxy
from tests.fakes.resolver import FakeResolver, FakeServerFile
from tests.fakes.runs import FakeRuns
from tests.fakes.runtime import FakeRuntime

ROOT = Actor(None)
WEB = b"web: serve\n"


class FakeClock:
    """Time that passes only while someone sleeps."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        self.seconds += 0.001
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


class Said:
    """A Narrator that remembers."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.done: list[str] = []

    def step(self, text: str) -> None:
        self.lines.append("-----> " + text)

    def detail(self, text: str) -> None:
        self.lines.append("       " + text)

    def warn(self, text: str) -> None:
        self.lines.append(" !     " + text)

    def raw(self, line: bytes) -> None:
        self.lines.append(line.decode())

    @contextmanager
    def doing(self, text: str) -> Iterator[None]:
        self.done.append(text)
        yield


class FakeLogs:
    """Logs in lists."""

    def __init__(self) -> None:
        self.lines: list[tuple[int, str, str]] = []
        self.printed: dict[str, list[str]] = {}
        self.builds: dict[str, list[bytes]] = {}
        self.release_lines: dict[tuple[int, int], list[bytes]] = {}

    def write(self, app_id: int, process: str, text: str) -> None:
        self.lines.append((app_id, process, text))

    def write_output(self, app_id: int, process: str, line: bytes) -> None:
        self.printed.setdefault(process, []).append(line.decode())

    def tail(self, app_id: int, count: int, wanted: LogFilter = EVERY_LINE) -> list[LogLine]:
        now = datetime(2026, 1, 1, tzinfo=UTC)
        mine = [line for line in self.lines if line[0] == app_id]
        lines = [LogLine(now, "paas", process, text) for _, process, text in mine]
        return [line for line in lines if wanted.takes(line)][-count:]

    def follow(
        self,
        app_id: int,
        stop: Callable[[], bool],
        wanted: LogFilter = EVERY_LINE,
        count: int = 0,
    ) -> Iterator[LogLine]:
        yield from self.tail(app_id, 1, wanted)

    def instance_tail(self, app_id: int, process: str, count: int) -> list[str]:
        return self.printed.get(process, [])[-count:]

    def open_build(self, build_id: str) -> Callable[[bytes], None]:
        return self.builds.setdefault(build_id, []).append

    def build_output(self, build_id: str, stop: Callable[[], bool]) -> Iterator[str]:
        yield from (line.decode() for line in self.builds.get(build_id, []))

    def open_release(self, app_id: int, version: int) -> Callable[[bytes], None]:
        return self.release_lines.setdefault((app_id, version), []).append

    def release_output(self, app_id: int, version: int) -> list[str]:
        return [line.decode() for line in self.release_lines.get((app_id, version), [])]

    def remove(self, app_id: int) -> None:
        self.lines = [line for line in self.lines if line[0] != app_id]


class FakeDrainProcess:
    """Whether the process runs, and what it was told of."""

    def __init__(self) -> None:
        self.runs = False
        self.begun: list[str] = []

    def begin(self, drain: Drain) -> None:
        self.begun.append(drain.token)

    def keep(self, *, wanted: bool) -> None:
        self.runs = wanted


class FakeLocks:
    """Locks that are free unless a test says who holds one."""

    def __init__(self) -> None:
        self.held: dict[int, str] = {}
        self.pushed: set[int] = set()

    @contextmanager
    def app(
        self,
        app_id: int,
        holder: str,
        waiting: Callable[[str], AbstractContextManager[None]] | None = None,
    ) -> Iterator[None]:
        if app_id in self.held and waiting is not None:
            with waiting(self.held[app_id]):
                pass
        self.held[app_id] = holder
        try:
            yield
        finally:
            del self.held[app_id]

    def app_is_held(self, app_id: int) -> bool:
        return app_id in self.held

    def push(self, app_id: int) -> Path:
        return Path(f"/locks/push-{app_id}")

    @contextmanager
    def idle_push(self, app_id: int) -> Iterator[bool]:
        yield app_id not in self.pushed


class FakeRepository:
    """Commits by id: the content of their Procfile, or None where they have none."""

    def __init__(self) -> None:
        self.procfiles: dict[str, bytes | None] = {}
        self.created: set[int] = set()
        self.files = 1
        self.contents: dict[tuple[str, str], bytes] = {}
        self.lost: set[str] = set()
        self.heads: dict[str, str] = {}
        self.submodules: dict[str, str] = {}
        self.lfs_pointers: tuple[str, ...] = ()

    def create(self, app_id: int) -> None:
        self.created.add(app_id)

    def copy(self, source_id: int, app_id: int) -> None:
        self.created.add(app_id)

    def remove(self, app_id: int) -> None:
        self.created.discard(app_id)

    def path(self, app_id: int) -> Path:
        return Path(f"/git/{app_id}.git")

    def commit(self, app_id: int, commit_id: str, quarantine: Quarantine | None) -> Commit:
        return Commit(commit_id, "A change", "Alice")

    def write_tree(
        self, app_id: int, commit_id: str, quarantine: Quarantine | None, target: Path, uid: int
    ) -> Tree:
        return Tree(self.files, 10, self.submodules, self.lfs_pointers)

    def read_file(
        self, app_id: int, commit_id: str, quarantine: Quarantine | None, name: str, limit: int
    ) -> bytes | None:
        if name != "Procfile":
            return self.contents.get((commit_id, name))
        return self.procfiles.get(commit_id, WEB)

    def changes(
        self, app_id: int, old: str | None, new: str, quarantine: Quarantine | None
    ) -> list[FileChange]:
        """app.py differs between any two commits; lost: commits that are not there."""
        for commit in (old, new):
            if commit in self.lost:
                raise PaasError("no-commit", f"The repository has no commit {commit}.")
        change = Change.ADDED if old is None else Change.CHANGED
        return [FileChange("app.py", change)] if old != new else []

    def remove_quarantines(self, app_id: int) -> int:
        return 0

    def head(self, app_id: int, branch: str) -> str | None:
        return self.heads.get(branch)


class FakeSlugs:
    """Slug directories as sets of names."""

    def __init__(self) -> None:
        self.building: set[str] = set()
        self.frozen: set[str] = set()
        self.narrowed = ""
        self.pages: set[str] = set()
        self.missing: set[tuple[str, str]] = set()
        self.full = False

    def new_build(self, build_id: str, uid: int) -> Path:
        self.building.add(build_id)
        return Path("/builds") / build_id

    def narrow(self, build_id: str, folder: str) -> None:
        self.narrowed = folder

    def freeze(self, build_id: str) -> int:
        self.building.remove(build_id)
        self.frozen.add(build_id)
        return 4096

    def path(self, slug_id: str) -> Path:
        return Path("/slugs") / slug_id

    def page(self, slug_id: str, name: str) -> Path | None:
        return Path("/slugs") / slug_id / name if slug_id in self.pages else None

    def folder(self, slug_id: str, name: str) -> SlugFolder | None:
        missing = (slug_id, name) in self.missing
        return None if missing else SlugFolder(self.path(slug_id), name)

    def remove(self, slug_id: str) -> None:
        self.building.discard(slug_id)
        self.frozen.discard(slug_id)

    def remove_cache(self, app_id: int) -> None:
        pass

    def unfinished(self) -> list[str]:
        return sorted(self.building)

    def slugs(self) -> list[str]:
        return sorted(self.frozen)

    def check_space(self) -> None:
        if self.full:
            raise PaasError("disk-full", "The server's disk is full.")


class FakePages:
    """Pages in a dict."""

    def __init__(self) -> None:
        self.contents: dict[int, bytes] = {}

    def maintenance(self, app_id: int) -> Path | None:
        return Path("/pages") / f"{app_id}.html" if app_id in self.contents else None

    def set_maintenance(self, app_id: int, content: bytes) -> None:
        self.contents[app_id] = content

    def remove(self, app_id: int) -> bool:
        return self.contents.pop(app_id, None) is not None


class FakeStorage:
    """Storage directories as a set of ids."""

    def __init__(self) -> None:
        self.there: set[tuple[int, int]] = set()

    def create(self, app_id: int, storage_id: int, uid: int) -> None:
        self.there.add((app_id, storage_id))

    def size_bytes(self, app_id: int, storage_id: int) -> int:
        return 4096

    def remove(self, app_id: int, storage_id: int | None = None) -> None:
        self.there = {x for x in self.there if x[0] != app_id or storage_id not in (None, x[1])}


class FakeBuilder:
    """A builder that finds no default processes, or fails as told."""

    def __init__(self) -> None:
        self.failure: PaasError | None = None
        self.processes: dict[ProcessType, str] = {}
        self.built = Built("fake", {})
        self.used: list[str] = []
        self.meanwhile: Callable[[], None] = lambda: None
        self.interrupted: set[int] = set()

    def build(
        self,
        app: App,
        tree: Path,
        config: ConfigVars,
        output: Callable[[bytes], None],
        *,
        buildpacks: Sequence[Buildpack] = (),
        commit: str = "",
        check: Callable[[], None] = lambda: None,
    ) -> Built:
        self.used = [pack.source for pack in buildpacks]
        output(b"-----> Fake app detected")
        self.meanwhile()
        check()
        if self.failure is not None:
            raise self.failure
        return replace(self.built, processes=dict(self.processes))

    def clear(self, app_id: int) -> bool:
        found = app_id in self.interrupted
        self.interrupted.discard(app_id)
        return found


class FakeCatalog:
    """Two buildpacks of the platform's, and one directory that is one."""

    def names(self) -> tuple[str, ...]:
        return ("python", "node")

    def why_not(self, directory: str) -> str | None:
        return None if directory == "/srv/mine" else f"There is no directory {directory}."


class FakeProbe:
    """Ports answer unless a test says otherwise."""

    def __init__(self) -> None:
        self.silent = False
        self.status = 200
        self.pages: dict[str, Answer | None] = {}
        self.asked: list[str] = []

    def answers(self, port: int, host: str, timeout_s: float) -> int | None:
        self.asked.append("any")
        return None if self.silent else self.status

    def accepts(self, port: int, timeout_s: float) -> bool:
        return not self.silent

    def get(
        self,
        port: int,
        host: str,
        path: str,
        headers: Sequence[tuple[str, str]],
        timeout_s: float,
    ) -> Answer | None:
        """pages: the answer by path; others are 200."""
        self.asked.append(path)
        return None if self.silent else self.pages.get(path, Answer(200, b"fine"))


class FakeRequestLog:
    """RequestLog: by port, what a test says."""

    def __init__(self) -> None:
        self.by_port: dict[int, Answers] = {}

    def answers(self, app_id: int, since: datetime, ports: set[int]) -> Answers:
        found = [self.by_port.get(port, Answers()) for port in ports]
        return Answers(sum(a.count for a in found), sum(a.errors for a in found))


class FakePorts:
    """The lowest ports that are not taken, from 5000."""

    def free(self, taken: set[int], count: int) -> list[int]:
        return [port for port in range(5000, 5100) if port not in taken][:count]


class FakeKeys:
    """KeyReader and KeyFile: the text of a key is its fingerprint."""

    def __init__(self) -> None:
        self.published: list[str] = []

    def read(self, user: UserName, text: str) -> Key:
        return Key(f"SHA256:{text}", user, "ssh-ed25519", text, "")

    def publish(self, keys: Sequence[Key]) -> None:
        self.published = [f"{key.user} {key.body}" for key in keys]


@dataclass
class World:
    """Everything at hand: the services under test and the fakes around them."""

    folder: Path
    clock: FakeClock = field(default_factory=FakeClock)
    logs: FakeLogs = field(default_factory=FakeLogs)
    drain_process: FakeDrainProcess = field(default_factory=FakeDrainProcess)
    locks: FakeLocks = field(default_factory=FakeLocks)
    repository: FakeRepository = field(default_factory=FakeRepository)
    slugs: FakeSlugs = field(default_factory=FakeSlugs)
    submodules: FakeSubmodules = field(default_factory=FakeSubmodules)
    importer: FakeImporter = field(default_factory=FakeImporter)
    pages: FakePages = field(default_factory=FakePages)
    storage_files: FakeStorage = field(default_factory=FakeStorage)
    builder: FakeBuilder = field(default_factory=FakeBuilder)
    queue: FakeBuildQueue = field(default_factory=FakeBuildQueue)
    probe: FakeProbe = field(default_factory=FakeProbe)
    runtime: FakeRuntime = field(default_factory=FakeRuntime)
    proxy: FakeProxy = field(default_factory=FakeProxy)
    runs: FakeRuns = field(default_factory=FakeRuns)
    key_file: FakeKeys = field(default_factory=FakeKeys)
    one_off: FakeOneOff = field(default_factory=FakeOneOff)
    requests: FakeRequestLog = field(default_factory=FakeRequestLog)
    certificate_files: FakeCertificateFiles = field(default_factory=FakeCertificateFiles)
    certificate_reader: FakeCertificateReader = field(default_factory=FakeCertificateReader)
    issuer: FakeIssuer = field(default_factory=FakeIssuer)
    said: Said = field(default_factory=Said)
    secrets: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    live: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store = SqliteStore(self.folder / "state.db", (70000, 70009))
        self.schedules = CronSimSchedules()  # pure, so no fake
        addresses = Addresses("example.com", 80, 22, "paas", 443)
        self.phases = Phases(one_off=self.one_off, slugs=self.slugs, logs=self.logs, limit_s=900.0)
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
            wishes=Wishes(store=self.store, addresses=addresses, directory=LETS_ENCRYPT),
            issuer=self.issuer,
            certificates=self.certificates,
            locks=self.locks,
            logs=self.logs,
            clock=self.clock,
        )
        self.rollout = Rollout(
            store=self.store,
            runtime=self.runtime,
            proxy=self.proxy,
            ports=FakePorts(),
            slugs=self.slugs,
            logs=self.logs,
            sites=self.sites,
            startup=Startup(
                runtime=self.runtime,
                probe=self.probe,
                logs=self.logs,
                clock=self.clock,
                limit_s=60.0,
            ),
            phases=self.phases,
            addresses=addresses,
            drain_limit_s=30.0,
            stop_limit_s=30.0,
        )
        self.apps = Apps(
            storage_files=self.storage_files,
            pages=self.pages,
            runs=self.runs,
            store=self.store,
            repository=self.repository,
            runtime=self.runtime,
            proxy=self.proxy,
            slugs=self.slugs,
            logs=self.logs,
            locks=self.locks,
            clock=self.clock,
            sites=self.sites,
            addresses=addresses,
            random_name=lambda: AppName("quiet-otter-1234"),
            stop_limit_s=30.0,
        )
        self.diffs = Diffs(store=self.store, repository=self.repository, schedules=self.schedules)
        self.releases = Releases(
            store=self.store,
            rollout=self.rollout,
            diffs=self.diffs,
            locks=self.locks,
            logs=self.logs,
            clock=self.clock,
        )
        self.watch = Watch(
            store=self.store,
            runtime=self.runtime,
            requests=self.requests,
            releases=self.releases,
            locks=self.locks,
            logs=self.logs,
            clock=self.clock,
            window_s=30.0,
        )
        self.pruning = Pruning(
            store=self.store, slugs=self.slugs, runs=self.runs, keep_slugs=2, keep_slugs_mib=0
        )
        self.maker = SlugMaker(
            trees=Trees(
                store=self.store,
                repository=self.repository,
                submodules=self.submodules,
                queue=self.queue,
            ),
            store=self.store,
            repository=self.repository,
            builder=self.builder,
            queue=self.queue,
            slugs=self.slugs,
            phases=self.phases,
            schedules=self.schedules,
            clock=self.clock,
            random_secret=lambda: f"secret-{next(self.secrets)}",
        )
        self.deploys = Deploys(
            store=self.store,
            repository=self.repository,
            maker=self.maker,
            queue=self.queue,
            slugs=self.slugs,
            pruning=self.pruning,
            rollout=self.rollout,
            phases=self.phases,
            watch=self.watch,
            locks=self.locks,
            logs=self.logs,
            clock=self.clock,
        )
        self.builds = Builds(
            store=self.store, queue=self.queue, locks=self.locks, logs=self.logs, clock=self.clock
        )
        self.cloning = Cloning(
            store=self.store,
            repository=self.repository,
            apps=self.apps,
            deploys=self.deploys,
            locks=self.locks,
            clock=self.clock,
        )
        self.buildpacks = Buildpacks(store=self.store, catalog=FakeCatalog())
        self.config = Config(
            store=self.store,
            rollout=self.rollout,
            watch=self.watch,
            locks=self.locks,
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
        )
        self.storage = Storages(
            store=self.store, files=self.storage_files, rollout=self.rollout, locks=self.locks
        )
        self.upkeep = Upkeep(
            store=self.store,
            proxy=self.proxy,
            sites=self.sites,
            pages=self.pages,
            locks=self.locks,
            clock=self.clock,
        )
        self.processes = Processes(
            store=self.store, runtime=self.runtime, rollout=self.rollout, locks=self.locks
        )
        self.one_offs = OneOffs(
            store=self.store, slugs=self.slugs, runs=self.runs, logs=self.logs, stop_limit_s=30.0
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
            importer=self.importer,
            deploys=self.deploys,
            locks=self.locks,
        )
        self.reconcile = Reconcile(
            storage_files=self.storage_files,
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
            rollout=self.rollout,
            sites=self.sites,
            proxies=self.proxies,
            stop_limit_s=30.0,
        )

    def user(self, name: str, role: Role = Role.MEMBER) -> Actor:
        """A user who may come in."""
        return Actor(self.store.add_user(UserName(name), role, self.clock.now()))

    def actor(self, name: str) -> Actor:
        """One who is there already."""
        return Actor(self.store.user(UserName(name)))

    def app(self, name: str = "shop", actor: Actor = ROOT) -> App:
        """An app that was never deployed."""
        return self.apps.create(actor, AppName(name))

    def push(self, name: str = "shop", commit: str = "a" * 40) -> None:
        """Deploy a commit of an app."""
        app = self.store.app(name)
        assert app is not None
        self.deploys.deploy(Push(app, commit, None, ROOT), self.said, self.on_live)

    def on_live(self) -> None:
        """Note what the proxy serves at the moment when the pusher gets the answer."""
        self.live.append(f"{self.proxy.ports('shop.example.com')}")

    def environment(self, name: str = "shop") -> Mapping[str, str]:
        """What the live web.1 was started with."""
        started = [s for s in self.runtime.running.values() if s.instance.label == "web.1"]
        return {key: value.reveal() for key, value in started[-1].env.items()}
