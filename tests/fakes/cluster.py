"""A swarm, machines and a registry in memory."""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from ipaddress import IPv4Address

from paas.domain.apps.apps import App
from paas.domain.cluster.joining import MachineFacts, ServerFacts
from paas.domain.cluster.nodes import Availability, Login, NodeName, SeenNode
from paas.domain.releases.releases import Usage
from paas.domain.values.errors import PaasError
from paas.domain.values.secret import Secret
from paas.interfaces import Progress

MANAGER = "manager"


class FakeCluster:
    """`Cluster` of paas/interfaces. peers: who reaches its manager; None: there is none."""

    def __init__(self) -> None:
        self.address: IPv4Address | None = None
        self.peers: set[IPv4Address] | None = None
        self.seen: dict[str, SeenNode] = {}
        self.tokens = 0
        self.refuses = False

    def begin(self, address: IPv4Address) -> None:
        if self.refuses:
            raise PaasError("docker", "The Docker engine refused: no.")
        if self.address is None:
            self.address, self.peers = address, set()
            own = SeenNode(
                MANAGER,
                "server",
                is_ready=True,
                availability=Availability.DRAIN,
                is_manager=True,
            )
            self.seen = {MANAGER: own}

    def end(self) -> None:
        self.address, self.peers, self.seen = None, None, {}

    def members(self) -> Sequence[SeenNode]:
        self._require()
        return list(self.seen.values())

    def token(self) -> Secret:
        self._require()
        return Secret(f"token-{self.tokens}")

    def change_token(self) -> None:
        self.tokens += 1

    def set_labels(self, id: str, labels: Mapping[str, str]) -> None:
        self._change(id, labels=dict(labels))

    def set_availability(self, id: str, availability: Availability) -> None:
        self._change(id, availability=availability)

    def remove(self, id: str) -> None:
        self.seen.pop(id, None)

    def let_peers(self, addresses: Collection[IPv4Address]) -> None:
        self.peers = set(addresses)

    def set_ready(self, id: str, *, ready: bool) -> None:
        """Whether a member answers."""
        self._change(id, is_ready=ready, is_unknown=False, is_unheard=False)

    def set_unknown(self, id: str) -> None:
        """The manager has just started, and has not heard from a member."""
        self._change(id, is_ready=False, is_unknown=True)

    def set_unheard(self, id: str) -> None:
        """That went on for so long that the member is down."""
        self._change(id, is_ready=False, is_unknown=False, is_unheard=True)

    def _require(self) -> None:
        if self.address is None:
            raise PaasError("docker-down", "The Docker engine does not answer.")

    def _change(self, id: str, **changed: object) -> None:
        if id not in self.seen:
            raise PaasError("docker", f"The Docker engine refused: node {id} not found.")
        self.seen[id] = replace(self.seen[id], **changed)  # type: ignore[arg-type]


class FakeMoves:
    """`Moves` one after another, by what start does. asked: the names of each call.

    meanwhile: called before each call.
    """

    def __init__(self) -> None:
        self.start: Callable[[int, str | None, Progress], bool] = lambda _id, _name, _say: False
        self.meanwhile: Callable[[], None] = lambda: None
        self.asked: list[list[str]] = []

    def move(
        self, apps: Sequence[App], progress: Progress, *, leaving: NodeName | None = None
    ) -> list[App]:
        self.meanwhile()
        self.asked.append([app.name for app in apps])
        return [app for app in apps if not self.start(app.id, leaving, progress)]


class FakeNodeMachines:
    """`NodeMachines` of paas/interfaces. there: what each says of itself, by login.

    trusted: the registry that each knows. no_registry: why none reaches it.

    peers: whom each lets in. becomes_ready: whether one that joins is ready at once. used,
    listens: what instances there take, and where they listen, by login and their ids.
    """

    def __init__(self, cluster: FakeCluster) -> None:
        self._cluster = cluster
        self.there: dict[str, MachineFacts] = {}
        self.peers: dict[str, set[IPv4Address]] = {}
        self.used: dict[str, dict[str, Usage]] = {}
        self.listens: dict[str, dict[str, set[tuple[str, int]]]] = {}
        self.becomes_ready = True
        self.trusted: dict[str, str] = {}
        self.no_registry: str | None = None
        self.cannot_join: str | None = None
        self.own = ServerFacts("x86_64", "debian 12", IPv4Address("10.0.0.1"), frozenset())

    def machine(self, number: int, **changed: object) -> Login:
        """A machine that suits, at 10.0.0.NUMBER."""
        login = Login(f"10.0.0.{number}")
        facts = MachineFacts(
            name=f"web-{number}",
            is_root=True,
            cpu="x86_64",
            release="debian 12",
            memory_mib=2_048,
            address=IPv4Address(login.host),
            caller=IPv4Address("10.0.0.1"),
            clock_ahead_s=0.0,
            engine="",
            swarm_id="",
            live_restore=False,
            has_systemd=True,
        )
        self.there[str(login)] = replace(facts, **changed)  # type: ignore[arg-type]
        return login

    def public_key(self) -> str:
        return "ssh-ed25519 AAAA paas"

    def server(self, address: IPv4Address, members: Collection[str]) -> ServerFacts:
        return replace(self.own, address=address, members=frozenset(members))

    def facts(self, login: Login) -> MachineFacts:
        if str(login) not in self.there:
            raise PaasError("node-unreachable", f"{login} cannot be reached by ssh.")
        return self.there[str(login)]

    def host_key(self, login: Login) -> str:
        return "SHA256:host"

    def prepare(
        self,
        login: Login,
        server: IPv4Address,
        peers: Collection[IPv4Address],
        progress: Progress,
    ) -> None:
        self.let_peers(login, server, peers)
        self.there[str(login)] = replace(self.facts(login), engine="20.10.24", engine_lacks=())

    def let_peers(self, login: Login, server: IPv4Address, peers: Collection[IPv4Address]) -> None:
        self.facts(login)
        assert server == self._cluster.address
        self.peers[str(login)] = set(peers)

    def trust(self, login: Login, registry: str, authority: str) -> None:
        self.facts(login)
        self.trusted[str(login)] = registry

    def try_registry(self, login: Login, registry: str, user: str, password: Secret) -> None:
        self.facts(login)
        if self.trusted.get(str(login)) != registry or self.no_registry is not None:
            said = self.no_registry or "x509: certificate signed by unknown authority"
            raise PaasError(
                "node-failed", f"Having {login} ask the registry failed.", context=[said]
            )

    def join(self, login: Login, token: Secret, manager: IPv4Address, own: IPv4Address) -> str:
        facts = self.facts(login)
        assert token.reveal() == self._cluster.token().reveal()
        if self.cannot_join is not None:
            raise PaasError("node-failed", self.cannot_join)
        id = f"id-{facts.name}"
        self.there[str(login)] = replace(facts, swarm_id=id)
        self._cluster.seen[id] = SeenNode(
            id, facts.name, is_ready=self.becomes_ready, engine=facts.engine
        )
        return id

    def leave(self, login: Login) -> None:
        facts = self.facts(login)
        self.there[str(login)] = replace(facts, swarm_id="")
        del self.peers[str(login)]
        self.trusted.pop(str(login), None)

    def usage(self, login: Login) -> Mapping[str, Usage]:
        self.facts(login)
        return dict(self.used.get(str(login), {}))

    def listening(self, login: Login, id: str) -> set[tuple[str, int]]:
        self.facts(login)
        return set(self.listens.get(str(login), {}).get(id, ()))


class FakeImageRegistry:
    """`ImageRegistry` of paas/interfaces. images: what the engine has; None: any. failure: of all.

    published: the names of what it has, by image id.
    """

    def __init__(self) -> None:
        self.address: IPv4Address | None = None
        self.images: set[str] | None = None
        self.published: dict[str, str] = {}
        self.pushes = self.begun = 0
        self.failure: PaasError | None = None

    def begin(self, address: IPv4Address) -> None:
        if self.failure is not None:
            raise self.failure
        if address != self.address:
            self.end()
            self.address, self.begun = address, self.begun + 1

    def end(self) -> None:
        self.address, self.published = None, {}

    def host(self) -> str:
        return f"{self._at()}:30500"

    def authority(self) -> str:
        self._at()
        return "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"

    def login(self) -> tuple[str, Secret]:
        self._at()
        return "node", Secret(f"password-{self.begun}")

    def publish(self, image_id: str) -> str:
        self.check()
        if self.images is not None and image_id not in self.images:
            raise PaasError("docker", f"The Docker engine refused: no such image: {image_id}.")
        if image_id not in self.published:
            self.pushes += 1
            digest = hashlib.sha256(image_id.encode()).hexdigest()
            self.published[image_id] = f"{self.host()}/paas@sha256:{digest}"
        return self.published[image_id]

    def keep_only(self, image_ids: Callable[[], Collection[str]]) -> None:
        self.check()
        kept = set(image_ids())
        self.published = {id: name for id, name in self.published.items() if id in kept}

    def renew(self) -> None:
        self._at()

    def check(self) -> None:
        self._at()
        if self.failure is not None:
            raise self.failure

    def _at(self) -> IPv4Address:
        if self.address is None:
            raise PaasError("registry", "The registry for nodes does not answer.")
        return self.address
