"""Datastores, their attachments to apps, and the environment that apps get from them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from urllib.parse import quote

from paas.domain.datastores.kinds import AttachmentName, DatastoreKind
from paas.domain.datastores.names import DatastoreName, variable
from paas.domain.datastores.plans import Plan
from paas.domain.releases.releases import ConfigVars
from paas.domain.values.names import VarName
from paas.domain.values.secret import Secret

# Below it apps find each datastore by its name; reserved for private use (ICANN, 2024).
DOMAIN = "paas.internal"


class DatastoreState(StrEnum):
    """How far its creation or removal is.

    PENDING: being created. READY: it serves. REMOVED: its server and files are being deleted.
    COPYING: a follower is being copied again from its leader. UNFOLLOWING: a follower is becoming
    independent.
    """

    PENDING = "pending"
    READY = "ready"
    REMOVED = "removed"
    COPYING = "copying"
    UNFOLLOWING = "unfollowing"

    @property
    def is_discardable(self) -> bool:
        """Whether nothing in it is of use once nobody is creating or removing it any longer."""
        return self in {DatastoreState.PENDING, DatastoreState.REMOVED}


@dataclass(frozen=True, slots=True)
class Following:
    """What a follower has in addition. password: of its login at the leader."""

    leader: "Datastore"
    password: Secret


@dataclass(frozen=True, slots=True)
class Datastore:
    """A server that stores data of apps.

    id: never reused; its files are named after it. name: ``postgresql-curly-1234``. version: of its
    files, ``15`` or ``10.11``. app_id: the app to which it belongs, whose owner may destroy it.
    uid: of its server, also the gid. port: on loopback. password: of its present login. settings:
    chosen by users, under the server's own names. login_number: how many logins it has had before
    this one. following: for a follower, which has the logins and the database of its leader.
    """

    id: int
    name: DatastoreName
    kind: DatastoreKind
    version: str
    plan: Plan
    app_id: int
    uid: int
    port: int
    state: DatastoreState
    password: Secret
    created_at: datetime
    settings: Mapping[str, str] = field(default_factory=dict)
    login_number: int = 0
    following: Following | None = None

    @property
    def leader(self) -> "Datastore | None":
        """The datastore that it follows."""
        return self.following.leader if self.following is not None else None

    @property
    def connections(self) -> int:
        """How many connections apps may open at once, all together."""
        return self.plan.connections * self.kind.traits.connections

    @property
    def host(self) -> str:
        """The host name to which apps connect."""
        return f"{self.name}.{DOMAIN}"

    @property
    def group(self) -> str:
        """The supervisor's group in which its server runs."""
        return f"datastore-{self.id}"

    @property
    def database(self) -> str:
        """The database in it that apps use."""
        named = self.kind.traits.database
        return self._own_name if named is None else named

    @property
    def login(self) -> str:
        """The login that apps use."""
        return f"{self._own_name}_{self.login_number}" if self.login_number else self._own_name

    @property
    def _own_name(self) -> str:
        """Its name for programs that accept no dash; a follower has its leader's."""
        return (self.leader or self).name.replace("-", "_")

    def released(self) -> "Datastore":
        """The follower as an independent datastore, with its own password."""
        assert self.following is not None
        return replace(self, following=None, password=self.following.password, login_number=0)

    def with_next_login(self, password: Secret) -> "Datastore":
        """The same with another login, which still has to be created."""
        return replace(self, login_number=self.login_number + 1, password=password)

    @property
    def url(self) -> Secret:
        """The URL with which apps connect."""
        return self.url_with(self.kind.traits.scheme)

    def url_at(self, port: int) -> Secret:
        """The URL with another port, from which something forwards to the server."""
        return self.url_with(self.kind.traits.scheme, port)

    def url_with(self, scheme: str, port: int | None = None) -> Secret:
        """The URL with another scheme, and maybe another port."""
        password, port = quote(self.password.reveal(), safe=""), port or self.port
        return Secret(f"{scheme}://{self.login}:{password}@{self.host}:{port}/{self.database}")


@dataclass(frozen=True, slots=True)
class Attachment:
    """Gives an app a datastore's URL, as the config var NAME_URL.

    scheme: of the URL; None means the default of its kind. pooled: whether it is the URL of the
    datastore's connection pooler.
    """

    app_id: int
    name: AttachmentName
    datastore: DatastoreName
    scheme: str | None = None
    pooled: bool = False

    @property
    def var(self) -> VarName:
        """The config var in which the app finds the URL."""
        return variable(self.name)


@dataclass(frozen=True, slots=True)
class Client:
    """Who may connect to a datastore: the uid of an app or a pooler, and its host name and port."""

    uid: int
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class NodeAccess:
    """What nodes may connect to. server: this server's address in their network.

    nodes: their addresses. ports: of the datastores of apps that run on nodes; none: no access.
    """

    server: str = ""
    nodes: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()

    @property
    def pairs(self) -> list[tuple[str, int]]:
        """Each node's address with each port."""
        return [(node, port) for node in self.nodes for port in self.ports]


NO_NODES = NodeAccess()
# The address from which a datastore sees them connect.
NODES_SEEN_AS = "127.0.0.2"


def with_attached(config: ConfigVars, attached: ConfigVars) -> ConfigVars:
    """A release's config vars and those of the present attachments, which take precedence.

    A release contains no value of an attachment, so a rollback cannot restore an old password.
    """
    return {**config, **attached}
