"""Nodes: machines that belong to a server's cluster, what is recorded of them and what is seen."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from ipaddress import IPv4Address
from typing import NewType

from paas.domain.values.errors import PaasError, usage_error
from paas.domain.values.names import shown

NodeName = NewType("NodeName", str)

SSH_PORT = 22
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_HOST = r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?"
_LOGIN = re.compile(rf"root@({_HOST})(?::([0-9]{{1,5}}))?")
_LABEL = re.compile(r"([a-z0-9](?:[a-z0-9._-]{0,62}))=([A-Za-z0-9][A-Za-z0-9._-]{0,62})")
_ADD = "paas nodes:add root@10.0.0.2"


@dataclass(frozen=True, slots=True)
class Login:
    """How the server reaches a machine by ssh: always as root."""

    host: str
    port: int = SSH_PORT

    def __str__(self) -> str:
        """As it is typed."""
        return f"root@{self.host}" + (f":{self.port}" if self.port != SSH_PORT else "")


@dataclass(frozen=True, slots=True)
class Node:
    """What the store knows of one. id: Swarm's. address: where its peers reach it."""

    name: NodeName
    id: str
    login: Login
    address: IPv4Address
    added_at: datetime


class NodeState(StrEnum):
    """What a node does, as far as Swarm sees it."""

    READY = "ready"
    PAUSED = "paused"
    """It keeps what it runs, and gets nothing new."""
    DRAINED = "drained"
    DOWN = "down"
    UNKNOWN = "unknown"
    """The manager has just started, and has not heard from it yet."""
    GONE = "gone"
    """It is recorded here, but Swarm does not know it."""


class Availability(StrEnum):
    """What Swarm may do on a node, in its own words."""

    ACTIVE = "active"
    PAUSE = "pause"
    """It keeps what it runs, and gets nothing new."""
    DRAIN = "drain"
    """Nothing is placed there, and what is there ends."""


@dataclass(frozen=True, slots=True)
class SeenNode:
    """What Swarm knows of a node. cpus and memory_bytes: 0 until the node has told them.

    is_unknown: the manager has just started, and waits for the node to answer. is_unheard: it is
    down, and did not answer since the manager's last start.
    """

    id: str
    hostname: str
    is_ready: bool
    availability: Availability = Availability.ACTIVE
    is_manager: bool = False
    engine: str = ""
    cpus: int = 0
    memory_bytes: int = 0
    is_unknown: bool = False
    is_unheard: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def state(self) -> NodeState:
        if self.is_unknown:
            return NodeState.UNKNOWN
        if not self.is_ready:
            return NodeState.DOWN
        return _STATES[self.availability]


_STATES = {
    Availability.ACTIVE: NodeState.READY,
    Availability.PAUSE: NodeState.PAUSED,
    Availability.DRAIN: NodeState.DRAINED,
}


@dataclass(frozen=True, slots=True)
class NodeReport:
    """A recorded node, and what Swarm says of it; None: it does not know it.

    instances: how many of the apps' live instances are there.
    """

    node: Node
    seen: SeenNode | None
    instances: int = 0

    @property
    def state(self) -> NodeState:
        return self.seen.state if self.seen is not None else NodeState.GONE


@dataclass(frozen=True, slots=True)
class ClusterReport:
    """strangers: members that this server did not add."""

    address: IPv4Address
    nodes: Sequence[NodeReport]
    strangers: Sequence[SeenNode]


def report(address: IPv4Address, nodes: Sequence[Node], seen: Sequence[SeenNode]) -> ClusterReport:
    """What is recorded beside what Swarm sees; managers, which are this server, are left out."""
    by_id = {one.id: one for one in seen}
    recorded = {node.id for node in nodes}
    return ClusterReport(
        address,
        [NodeReport(node, by_id.get(node.id)) for node in nodes],
        [one for one in seen if not one.is_manager and one.id not in recorded],
    )


def is_node_name(text: str) -> bool:
    """Whether a machine's own name, without its domain, can be a node's."""
    return _NAME.fullmatch(text) is not None


def parse_login(text: str) -> Login:
    """``root@HOST`` or ``root@HOST:PORT``."""
    found = _LOGIN.fullmatch(text)
    port = int(found[2] or SSH_PORT) if found else 0
    if found is None or not 0 < port < 65_536:
        raise usage_error("node-login", f"{shown(text)} is not root@HOST or root@HOST:PORT.", _ADD)
    return Login(found[1], port)


def parse_address(text: str) -> IPv4Address:
    """The address of this server at which nodes reach it."""
    try:
        address = IPv4Address(text)
    except ValueError as error:
        raise usage_error(
            "cluster-address",
            f"{shown(text)} is not an IPv4 address.",
            "Give one of this machine's, in the network that it shares with the nodes: ip address",
        ) from error
    if address.is_loopback or address.is_multicast or address.is_unspecified:
        raise usage_error("cluster-address", f"No other machine can reach {address}.")
    return address


def parse_labels(words: Sequence[str]) -> dict[str, str]:
    """``KEY=VALUE`` each, such as ``zone=a``."""
    found: dict[str, str] = {}
    for word in words:
        match = _LABEL.fullmatch(word)
        if match is None:
            raise usage_error(
                "node-label",
                f"{shown(word)} is not a label: KEY=VALUE of letters, digits, dots, dashes and "
                "underscores, the key in lowercase.",
                f"{_ADD} --label zone=a",
            )
        found[match[1]] = match[2]
    return found


def no_such_node(name: str) -> PaasError:
    """The error where nothing is recorded under that name."""
    return PaasError("no-such-node", f"There is no node {shown(name)}.", "See: paas nodes")
