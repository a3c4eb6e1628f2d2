"""Several machines: the swarm that this server manages, its registry, and machines by ssh."""

from collections.abc import Callable, Collection, Mapping, Sequence
from ipaddress import IPv4Address
from typing import Protocol

from paas.domain.apps.apps import App
from paas.domain.cluster.joining import MachineFacts, ServerFacts
from paas.domain.cluster.nodes import Availability, Login, NodeName, SeenNode
from paas.domain.releases.releases import Usage
from paas.domain.server.alarms import Trouble
from paas.domain.values.secret import Secret
from paas.interfaces.output import Progress


class Cluster(Protocol):
    """The swarm, whose only manager is this server. Only `begin` may be called before it."""

    def begin(self, address: IPv4Address) -> None:
        """Start the manager, which nodes reach at this address; does nothing if it exists.

        Raises PaasError if it cannot, with nothing left behind.
        """

    def end(self) -> None:
        """Stop the manager for good, and delete what it knows."""

    def members(self) -> Sequence[SeenNode]:
        """All, this server included."""

    def token(self) -> Secret:
        """What lets a machine join."""

    def change_token(self) -> None:
        """Have the present token let nobody join any longer."""

    def set_labels(self, id: str, labels: Mapping[str, str]) -> None:
        """The labels of a member, in place of its former ones."""

    def set_availability(self, id: str, availability: Availability) -> None:
        """What Swarm may do on a member."""

    def remove(self, id: str) -> None:
        """Forget a member; does nothing if no member has that id."""

    def let_peers(self, addresses: Collection[IPv4Address]) -> None:
        """Let only these machines reach the manager's ports; also after a reboot."""


class Moves(Protocol):
    """Starts instances of several apps on other nodes at the same time."""

    def move(
        self, apps: Sequence[App], progress: Progress, *, leaving: NodeName | None = None
    ) -> list[App]:
        """Move those of nodes that are lost, and of the one that is left; returns what failed.

        The reason is the last warning that was shown of an app. Returns when the former instances
        have ended.
        """


class NodeTroubles(Protocol):
    """What could not be started elsewhere, as the process `nodes` found it last."""

    def note(self, troubles: Sequence[Trouble]) -> None:
        """In place of what was noted before."""

    def noted(self) -> Sequence[Trouble]: ...


class NodeMachines(Protocol):
    """Machines, as root, by ssh. All raise PaasError if a machine cannot be reached or refuses."""

    def public_key(self) -> str:
        """The line that lets this server in, for a machine's authorized_keys."""

    def server(self, address: IPv4Address, members: Collection[str]) -> ServerFacts:
        """What nodes are compared with. members: the ids of all members."""

    def facts(self, login: Login) -> MachineFacts:
        """What it says of itself; nothing is changed there."""

    def host_key(self, login: Login) -> str:
        """The fingerprint of the host key by which this server knows it."""

    def prepare(
        self,
        login: Login,
        server: IPv4Address,
        peers: Collection[IPv4Address],
        progress: Progress,
    ) -> None:
        """Close its ports as `let_peers` does, then have a Docker there that keeps apps apart."""

    def let_peers(self, login: Login, server: IPv4Address, peers: Collection[IPv4Address]) -> None:
        """Let only these machines reach what it runs for the cluster, and the server its apps.

        Its containers reach none of them. It stays so after a reboot.
        """

    def trust(self, login: Login, registry: str, authority: str) -> None:
        """Have its Docker know a registry by its CA, in place of a former one.

        registry and authority: `host` and `authority` of `ImageRegistry`. `leave` forgets them.
        """

    def try_registry(self, login: Login, registry: str, user: str, password: Secret) -> None:
        """Have its Docker log in there: raises PaasError if it cannot. No login stays there."""

    def join(self, login: Login, token: Secret, manager: IPv4Address, own: IPv4Address) -> str:
        """Have it join; returns the id that it got. own: the address that it is known by."""

    def leave(self, login: Login) -> None:
        """Have it leave, and take away rules and settings; Docker stays."""

    def usage(self, login: Login) -> Mapping[str, Usage]:
        """What each instance that runs there takes, by its id: GROUP-LABEL.

        Known by the labels paas.group and paas.instance of its container. Memory is that of its
        cgroup without what the kernel can free at once.
        """

    def listening(self, login: Login, id: str) -> set[tuple[str, int]]:
        """The TCP addresses and ports on which an instance there listens; none if it is not there.

        If very many, not all.
        """


class ImageRegistry(Protocol):
    """The server's own registry, from which nodes pull images; `begin` comes before all else.

    All but `end` raise PaasError ``registry`` if it does not answer, or refuses.
    """

    def begin(self, address: IPv4Address) -> None:
        """Start it at this address, with a new password; does nothing if it exists."""

    def end(self) -> None:
        """Stop it for good, and delete its images; does nothing if it does not exist."""

    def host(self) -> str:
        """Where it listens, as in an image's name: ``10.0.0.1:30500``."""

    def authority(self) -> str:
        """The certificate of the CA by which nodes know it, as PEM."""

    def login(self) -> tuple[str, Secret]:
        """The user and the password that it wants of everybody."""

    def publish(self, image_id: str) -> str:
        """Have an image of the server's own engine there, and return its name with its digest.

        That is ``10.0.0.1:30500/paas@sha256:...``. It is quick if the image is there already.
        """

    def keep_only(self, image_ids: Callable[[], Collection[str]]) -> None:
        """Delete all other images, and what of them is on the disk.

        Nothing is published meanwhile; image_ids is asked after that begins, so what is published
        later is safe.
        """

    def renew(self) -> None:
        """Renew its certificate well before it expires; does nothing if that is not due."""

    def check(self) -> None:
        """Whether it answers and takes the password: raises PaasError if not."""
