"""Instances on nodes that are lost: which these are, and when they are started elsewhere."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from paas.domain.cluster.nodes import NodeReport, NodeState
from paas.domain.releases.artifacts import SWARM
from paas.domain.releases.releases import Instance

# What is on such a node does not run any longer, or nobody knows whether it does.
LOST = frozenset({NodeState.DOWN, NodeState.DRAINED, NodeState.GONE})
# How long a node may take to answer after a start of the manager: after a power failure, all
# machines boot at once, and the first node would get what belongs to the others.
PATIENCE_S = 120.0
# What the platform's own processes ask of the gate, root's alone: apps:move NODE|- APP-ID.
MOVE_COMMAND = "apps:move"
# The pauses between attempts: each is twice as long as the one before.
FIRST_PAUSE_S = 5.0
LONGEST_PAUSE_S = 300.0


def lost_instances(
    instances: Iterable[Instance],
    nodes: Sequence[NodeReport],
    leaving: str | None = None,
    awaited: Collection[str] = (),
) -> list[Instance]:
    """Those on nodes that are lost or that are no nodes any longer, or on the node `leaving`.

    awaited: the ids of nodes that may still answer.
    """
    stay = {
        str(one.node.address)
        for one in nodes
        if (one.state not in LOST or one.node.id in awaited) and one.node.name != leaving
    }
    return [one for one in instances if one.engine == SWARM and one.address not in stay]


def ready_ids(nodes: Sequence[NodeReport]) -> frozenset[str]:
    """The nodes on which instances can be started."""
    return frozenset(one.node.id for one in nodes if one.state is NodeState.READY)


def awaited_since(
    before: Mapping[str, float], nodes: Sequence[NodeReport], now: float
) -> dict[str, float]:
    """Since when the manager waits for nodes that did not answer since its start, by their ids."""
    silent = [
        one.node.id
        for one in nodes
        if one.seen is not None and (one.seen.is_unknown or one.seen.is_unheard)
    ]
    return {id: before.get(id, now) for id in silent}


def place_words(instance: Instance, nodes: Sequence[NodeReport]) -> str:
    """Where an instance is that is lost: ``web-2, which is down``."""
    for one in nodes:
        if str(one.node.address) == instance.address:
            return f"{one.node.name}, which is {one.state}"
    return f"{instance.address}, which is no longer a node"


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt that failed. lost: the ids of the app's instances that it was for.

    ready: the nodes on which they could have been started. count: how many attempts there were for
    these. due: when the next one is, by the monotonic clock.
    """

    lost: frozenset[str]
    ready: frozenset[str]
    count: int
    due: float


def due_apps(
    lost: Mapping[int, frozenset[str]],
    ready: frozenset[str],
    failed: Mapping[int, Attempt],
    busy: Collection[int],
    now: float,
) -> list[int]:
    """The apps whose lost instances are to be started elsewhere now.

    Nothing is tried while no node is ready. What has failed is tried again after a pause, and at
    once if more is lost, or a node is ready that was not.
    """
    if not ready:
        return []
    return [
        app_id
        for app_id, ids in lost.items()
        if app_id not in busy and _is_due(failed.get(app_id), ids, ready, now)
    ]


def failed_attempt(
    before: Attempt | None, lost: frozenset[str], ready: frozenset[str], now: float
) -> Attempt:
    """What is known after an attempt that failed."""
    again = before is not None and not _has_news(before, lost, ready)
    count = before.count + 1 if before is not None and again else 1
    pause_s = min(FIRST_PAUSE_S * 2 ** (count - 1), LONGEST_PAUSE_S)
    return Attempt(lost, ready, count, now + pause_s)


def _is_due(
    before: Attempt | None, lost: frozenset[str], ready: frozenset[str], now: float
) -> bool:
    return before is None or now >= before.due or _has_news(before, lost, ready)


def _has_news(before: Attempt, lost: frozenset[str], ready: frozenset[str]) -> bool:
    return lost != before.lost or bool(ready - before.ready)
