"""A whole platform whose outside world is in memory, but for the database in a temporary file."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from paas.adapters.store_sqlite import SqliteStore
from paas.domain.addresses import Addresses
from paas.domain.apps import Actor, App, Key, Role
from paas.domain.errors import PaasError
from paas.domain.interfaces import Built, Commit, LogLine, Quarantine, Tree
from paas.domain.names import AppName, ProcessType, UserName
from paas.domain.releases import ConfigVars
from paas.services.apps import Apps
from paas.services.config import Config
from paas.services.deploys import Deploys
from paas.services.keys import Keys
from paas.services.processes import Processes
from paas.services.pushes import Pushes
from paas.services.reconcile import Reconcile
from paas.services.rollout import Rollout
from paas.services.startup import Startup
from tests.fakes.proxy import FakeProxy
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

    def step(self, text: str) -> None:
        self.lines.append("-----> " + text)

    def detail(self, text: str) -> None:
        self.lines.append("       " + text)

    def warn(self, text: str) -> None:
        self.lines.append(" !     " + text)

    def raw(self, line: bytes) -> None:
        self.lines.append(line.decode())


class FakeLogs:
    """Logs in lists."""

    def __init__(self) -> None:
        self.lines: list[tuple[int, str, str]] = []
        self.printed: dict[str, list[str]] = {}
        self.builds: dict[str, list[bytes]] = {}

    def write(self, app_id: int, process: str, text: str) -> None:
        self.lines.append((app_id, process, text))

    def tail(self, app_id: int, count: int) -> list[LogLine]:
        now = datetime(2026, 1, 1, tzinfo=UTC)
        mine = [line for line in self.lines if line[0] == app_id][-count:]
        return [LogLine(now, "paas", process, text) for _, process, text in mine]

    def follow(self, app_id: int, stop: Callable[[], bool]) -> Iterator[LogLine]:
        yield from self.tail(app_id, 1)

    def instance_tail(self, app_id: int, process: str, count: int) -> list[str]:
        return self.printed.get(process, [])[-count:]

    def open_build(self, build_id: str) -> Callable[[bytes], None]:
        return self.builds.setdefault(build_id, []).append

    def remove(self, app_id: int) -> None:
        self.lines = [line for line in self.lines if line[0] != app_id]


class FakeLocks:
    """Locks that are free unless a test says who holds one."""

    def __init__(self) -> None:
        self.held: dict[int, str] = {}

    @contextmanager
    def app(
        self, app_id: int, holder: str, waiting: Callable[[str], None] | None = None
    ) -> Iterator[None]:
        if app_id in self.held and waiting is not None:
            waiting(self.held[app_id])
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
        yield True


class FakeRepository:
    """Commits by id: the content of their Procfile, or None where they have none."""

    def __init__(self) -> None:
        self.procfiles: dict[str, bytes | None] = {}
        self.created: set[int] = set()
        self.files = 1

    def create(self, app_id: int) -> None:
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
        return Tree(self.files, 10, ())

    def read_file(
        self, app_id: int, commit_id: str, quarantine: Quarantine | None, name: str, limit: int
    ) -> bytes | None:
        return self.procfiles.get(commit_id, WEB)

    def remove_quarantines(self, app_id: int) -> int:
        return 0

    def head(self, app_id: int, branch: str) -> str | None:
        return None


class FakeSlugs:
    """Slug directories as sets of names."""

    def __init__(self) -> None:
        self.building: set[str] = set()
        self.frozen: set[str] = set()
        self.full = False

    def new_build(self, build_id: str, uid: int) -> Path:
        self.building.add(build_id)
        return Path("/builds") / build_id

    def freeze(self, build_id: str) -> int:
        self.building.remove(build_id)
        self.frozen.add(build_id)
        return 4096

    def path(self, slug_id: str) -> Path:
        return Path("/slugs") / slug_id

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


class FakeBuilder:
    """A builder that finds no default processes, or fails as told."""

    def __init__(self) -> None:
        self.failure: PaasError | None = None
        self.processes: dict[ProcessType, str] = {}
        self.interrupted: set[int] = set()

    def build(
        self, app: App, tree: Path, config: ConfigVars, output: Callable[[bytes], None]
    ) -> Built:
        output(b"-----> Fake app detected")
        if self.failure is not None:
            raise self.failure
        return Built("fake", dict(self.processes))

    def clear(self, app_id: int) -> bool:
        found = app_id in self.interrupted
        self.interrupted.discard(app_id)
        return found


class FakeProbe:
    """Ports answer unless a test says otherwise."""

    def __init__(self) -> None:
        self.silent = False

    def answers(self, port: int, host: str, timeout_s: float) -> bool:
        return not self.silent


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
    locks: FakeLocks = field(default_factory=FakeLocks)
    repository: FakeRepository = field(default_factory=FakeRepository)
    slugs: FakeSlugs = field(default_factory=FakeSlugs)
    builder: FakeBuilder = field(default_factory=FakeBuilder)
    probe: FakeProbe = field(default_factory=FakeProbe)
    runtime: FakeRuntime = field(default_factory=FakeRuntime)
    proxy: FakeProxy = field(default_factory=FakeProxy)
    key_file: FakeKeys = field(default_factory=FakeKeys)
    said: Said = field(default_factory=Said)
    live: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store = SqliteStore(self.folder / "state.db", (70000, 70009))
        addresses = Addresses("example.com", 80, 22, "paas")
        self.rollout = Rollout(
            store=self.store,
            runtime=self.runtime,
            proxy=self.proxy,
            ports=FakePorts(),
            slugs=self.slugs,
            logs=self.logs,
            startup=Startup(
                runtime=self.runtime,
                probe=self.probe,
                logs=self.logs,
                clock=self.clock,
                limit_s=60.0,
            ),
            addresses=addresses,
            drain_limit_s=30.0,
            stop_limit_s=30.0,
        )
        self.apps = Apps(
            store=self.store,
            repository=self.repository,
            runtime=self.runtime,
            proxy=self.proxy,
            slugs=self.slugs,
            logs=self.logs,
            locks=self.locks,
            clock=self.clock,
            rollout=self.rollout,
            addresses=addresses,
            random_name=lambda: AppName("quiet-otter-1234"),
            stop_limit_s=30.0,
        )
        self.deploys = Deploys(
            store=self.store,
            repository=self.repository,
            builder=self.builder,
            slugs=self.slugs,
            rollout=self.rollout,
            locks=self.locks,
            logs=self.logs,
            clock=self.clock,
            addresses=addresses,
            keep_slugs=2,
        )
        self.config = Config(
            store=self.store, rollout=self.rollout, locks=self.locks, clock=self.clock
        )
        self.processes = Processes(
            store=self.store, runtime=self.runtime, rollout=self.rollout, locks=self.locks
        )
        self.pushes = Pushes(
            store=self.store, repository=self.repository, apps=self.apps, deploys=self.deploys
        )
        self.keys = Keys(
            store=self.store,
            reader=self.key_file,
            file=self.key_file,
            locks=self.locks,
            clock=self.clock,
        )
        self.reconcile = Reconcile(
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
            stop_limit_s=30.0,
        )

    def user(self, name: str, role: Role = Role.MEMBER) -> Actor:
        """A user who may come in."""
        return Actor(self.store.add_user(UserName(name), role, self.clock.now()))

    def app(self, name: str = "shop", actor: Actor = ROOT) -> App:
        """An app that was never deployed."""
        return self.apps.create(actor, AppName(name))

    def push(self, name: str = "shop", commit: str = "a" * 40) -> None:
        """Deploy a commit of an app."""
        from paas.services.deploys import Push

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
