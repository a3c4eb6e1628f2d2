"""Servers of datastores in memory, and who may reach it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from paas.domain.datastores.datastores import NO_NODES, Client, Datastore, NodeAccess
from paas.domain.datastores.external import External, ExternalFacts, ExternalUrl
from paas.domain.datastores.redis import Policy, policy_of
from paas.domain.runtime.workloads import Limits, Workload
from paas.domain.server.findings import Finding
from paas.domain.values.errors import PaasError
from paas.domain.values.names import VarName
from paas.interfaces import ClientCommand, Figures, Progress
from paas.interfaces.backups import Sink
from paas.interfaces.dumps import IncomingDump


class FakeDatastoreServer:
    """`DatastoreServer`. files: the ids that have some. fail: raised by the next `set_up`.

    version: ``15`` or ``10.11``. is_running: whether the supervisor runs a workload of that id.
    ready: those that were set up. dangers: what `hazards` says. read_only: the ids of those that
    are (`ReadOnlySwitch`). logins: names and passwords, by id.
    """

    def __init__(self, version: str = "15") -> None:
        self.version = version
        self.files: set[int] = set()
        self.ready: set[int] = set()
        self.logins: dict[int, dict[str, str]] = {}
        self.refreshed: list[str] = []
        self.asked: list[str] = []
        self.has_programs = True
        self.size_bytes = 8_000_000
        self.fail: PaasError | None = None
        self.read_only: set[int] = set()
        self.dangers: list[Finding] = []
        self.is_running: Callable[[str], bool] = lambda _id: True

    def installed(self) -> str | None:
        return self.version if self.has_programs else None

    def ensure_installed(self, progress: Progress) -> str:
        self.has_programs = True
        return self.version

    def hazards(self) -> list[Finding]:
        return self.dangers

    def create(self, datastore: Datastore) -> None:
        self.files.add(datastore.id)

    def refresh(self, datastore: Datastore) -> None:
        self.refreshed.append(datastore.name)

    def workload(self, datastore: Datastore) -> Workload:
        return Workload(
            group=datastore.group,
            label="server.1",
            uid=datastore.uid,
            argv=("postgres",),
            env={},
            binds=(),
            limits=Limits(256, 60, 4096, 64),
            ports=(datastore.port,),
            stop_signal="INT",
            stop_limit_s=120.0,
        )

    def set_up(self, datastore: Datastore, limit_s: float) -> None:
        if self.fail is not None:
            raise self.fail
        self.ready.add(datastore.id)
        self.add_login(datastore)

    def add_login(self, datastore: Datastore) -> None:
        if self.fail is not None:
            raise self.fail
        self.logins.setdefault(datastore.id, {})[datastore.login] = datastore.password.reveal()

    def drop_former_logins(self, datastore: Datastore) -> int:
        logins = self.logins[datastore.id]
        former = [login for login in logins if login != datastore.login]
        for login in former:
            del logins[login]
        return len(former)

    def client(self, datastore: Datastore, statement: str | None) -> ClientCommand:
        return ClientCommand(("psql", *filter(None, [statement])), {})

    def answers(self, datastore: Datastore) -> bool:
        self.asked.append(datastore.name)
        return datastore.id in self.files and self.is_running(self.workload(datastore).id)

    def figures(self, datastore: Datastore) -> Figures:
        if not self.answers(datastore):
            raise PaasError("datastore-down", f"The server of {datastore.name} does not answer.")
        more = {"Read only": "yes"} if datastore.id in self.read_only else {}
        return Figures(
            size_bytes=self.size_bytes, connections=0, version=f"{self.version}.18", more=more
        )

    def catch_up(self, datastore: Datastore) -> str | None:
        """`FileUpgrades`."""
        is_behind = datastore.version != self.version and self.answers(datastore)
        return self.version if is_behind else None

    def is_read_only(self, datastore: Datastore) -> bool:
        self.figures(datastore)
        return datastore.id in self.read_only

    def set_read_only(self, datastore: Datastore, *, read_only: bool) -> None:
        self.figures(datastore)
        (self.read_only.add if read_only else self.read_only.discard)(datastore.id)

    def remove(self, datastore_id: int) -> None:
        self.files.discard(datastore_id)
        self.ready.discard(datastore_id)


class FakeRedis:
    """`RedisServers`. policies: what each was last told."""

    def __init__(self) -> None:
        self.policies: dict[str, Policy] = {}

    def configure(self, datastore: Datastore) -> None:
        self.policies[datastore.name] = policy_of(datastore)


class FakeDatastoreClients:
    """`DatastoreClients`. clients, access: those that were applied last; ports: all that nodes
    ever reached.
    """

    def __init__(self) -> None:
        self.clients: list[Client] = []
        self.access = NO_NODES
        self.ports: set[int] = set()

    def apply(self, clients: Sequence[Client], nodes: NodeAccess = NO_NODES) -> None:
        self.clients = list(clients)
        self.access = nodes
        self.ports |= set(nodes.ports)

    def present(self) -> list[Client]:
        return self.clients

    def nodes(self) -> NodeAccess:
        return self.access


class FakeDatastoreFiles:
    """`DatastoreFiles`. wrong: what is wrong with the files of each, by name."""

    def __init__(self) -> None:
        self.wrong: dict[str, list[str]] = {}

    def faults(self, datastore: Datastore) -> list[str]:
        return self.wrong.get(datastore.name, [])

    def mend(self, datastore: Datastore) -> None:
        self.wrong.pop(datastore.name, None)


class IncomingBytes:
    """`IncomingDump`."""

    def __init__(self) -> None:
        self.content = b""

    def write(self, data: bytes) -> object:
        self.content += data
        return None


class FakeDumps:
    """`DatastoreDumps`. content: what is in each datastore, which is its dump, by name.

    fail: raised in the middle of the next dump. left: those with something of an interrupted load.
    """

    def __init__(self) -> None:
        self.content: dict[str, bytes] = {}
        self.fail: PaasError | None = None
        self.left: set[str] = set()

    def dump(self, datastore: Datastore, *, compressed: bool = False) -> Iterator[bytes]:
        yield self.content.get(datastore.name, b"PGDMP")[:8]
        if self.fail is not None:
            raise self.fail
        yield self.content.get(datastore.name, b"PGDMP")[8:]

    @contextmanager
    def checking(self, datastore: Datastore) -> Iterator[Sink]:
        yield lambda _data: None

    @contextmanager
    def spool(self) -> Iterator[IncomingBytes]:
        yield IncomingBytes()

    def load(self, datastore: Datastore, dump: IncomingDump, doing: Callable[[str], None]) -> None:
        assert isinstance(dump, IncomingBytes)
        if not dump.content.startswith(b"PGDMP "):
            raise PaasError("dump-not-loaded", "The dump is incomplete.")
        self.content[datastore.name] = dump.content

    def empty(self, datastore: Datastore, doing: Callable[[str], None]) -> None:
        self.content.pop(datastore.name, None)

    def is_empty(self, datastore: Datastore) -> bool:
        return datastore.name not in self.content

    def tidy(self, datastore: Datastore) -> bool:
        there = datastore.name in self.left
        self.left.discard(datastore.name)
        return there


class FakeExternalDumps:
    """`ExternalDumps`. content: what is in each, by name. asked: the addresses.

    fail: raised in the middle of the next dump. newest: the version that can be dumped.
    """

    def __init__(self) -> None:
        self.content: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.fail: PaasError | None = None
        self.newest = 16

    def require(self, external: External) -> None:
        if int(external.version.partition(".")[0]) > self.newest:
            raise PaasError("external-too-new", f"{external.name} is too new.")

    def dump(
        self, external: External, address: str, *, compressed: bool = False
    ) -> Iterator[bytes]:
        self.asked.append(address)
        yield self.content.get(external.name, b"PGDMP")[:8]
        if self.fail is not None:
            raise self.fail
        yield self.content.get(external.name, b"PGDMP")[8:]

    @contextmanager
    def checking(self, external: External) -> Iterator[Sink]:
        yield lambda _data: None


class FakeExternalServer:
    """`ExternalServer`. asked: the addresses. password: the only one that it takes; None: any."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.facts = ExternalFacts("16.4", encrypted=True)
        self.password: str | None = None

    def check(self, url: ExternalUrl, address: str) -> ExternalFacts:
        self.asked.append(address)
        if self.password not in (None, url.password.reveal()):
            raise PaasError("external-refused", f"{url.host} did not let {url.user} in.")
        return self.facts

    def client(self, url: ExternalUrl, statement: str | None) -> ClientCommand:
        words = ("psql", *filter(None, [statement]))
        return ClientCommand(words, {VarName("PGHOST"): url.host})


class FakeReach:
    """`Reach`: every host but localhost has the same address, and takes connections."""

    def address(self, host: str, port: int) -> str:
        if host == "localhost":
            raise PaasError("external-unreachable", f"{host} is this server itself.")
        return "203.0.113.7"
