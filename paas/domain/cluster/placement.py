"""On which nodes instances are to run: spread out, and only where there is memory for them."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from paas.domain.cluster.nodes import Node, NodeReport, NodeState
from paas.domain.cluster.scheduling import Scheduling
from paas.domain.values.errors import PaasError
from paas.domain.values.names import ProcessType

_MIB = 1024**2
# What the node itself takes: its Docker and the rest of its system.
OWN_MIB = 128


@dataclass(frozen=True, slots=True)
class Wanted:
    """An instance that is to be placed. memory_mib: reserved for it; 0: none."""

    kind: ProcessType
    memory_mib: int


@dataclass(frozen=True, slots=True)
class Placed:
    """Something that a node has already. id: an instance's; app_id, kind: None if it is not ours.

    stays: False if it is only there until the instances that are being placed are up.
    """

    id: str
    node_id: str
    memory_mib: int
    app_id: int | None = None
    kind: ProcessType | None = None
    stays: bool = True


def place(
    app_id: int,
    wanted: Sequence[Wanted],
    nodes: Sequence[NodeReport],
    placed: Collection[Placed],
    scheduling: Scheduling,
) -> list[Node]:
    """The node of each instance that is wanted, in their order.

    First counts how many instances of the process type there are under the same value of the label
    that they are spread over, then how many on the node, then how many of all apps on the node. The
    largest are placed first, since they fit in fewest places. What does not stay is not counted,
    but keeps its memory. The same question has the same answer.

    Raises PaasError ``no-room``, which names every node.
    """
    fit = [one for one in nodes if _unfit(one, scheduling) is None]
    tally = _Tally(app_id, scheduling, nodes, placed)
    found: dict[int, Node] = {}
    for number in sorted(range(len(wanted)), key=lambda n: -wanted[n].memory_mib):
        one = wanted[number]
        roomy = [node for node in fit if tally.has_room(node, one.memory_mib)]
        if not roomy:
            raise _no_room(one, nodes, tally, scheduling)
        chosen = min(roomy, key=lambda node: tally.rank(node, one.kind))
        tally.add(chosen, one)
        found[number] = chosen.node
    return [found[number] for number in range(len(wanted))]


class _Tally:
    """What the nodes have, and get."""

    def __init__(
        self,
        app_id: int,
        scheduling: Scheduling,
        nodes: Sequence[NodeReport],
        placed: Collection[Placed],
    ) -> None:
        self._spread = scheduling.spread
        self._values = {one.node.id: _value(one, scheduling.spread) for one in nodes}
        self._free = {one.node.id: _memory_mib(one) for one in nodes}
        self._all: Counter[str] = Counter()
        self._of_kind: Counter[tuple[ProcessType, str]] = Counter()
        self._of_value: Counter[tuple[ProcessType, str]] = Counter()
        for there in placed:
            if there.node_id not in self._free:
                continue
            self._free[there.node_id] -= there.memory_mib
            if there.stays:
                self._count(there.node_id, there.kind if there.app_id == app_id else None)

    def has_room(self, node: NodeReport, memory_mib: int) -> bool:
        return not memory_mib or self.free_mib(node) >= memory_mib

    def free_mib(self, node: NodeReport) -> int:
        """What is not reserved."""
        return max(0, self._free[node.node.id])

    def rank(self, node: NodeReport, kind: ProcessType) -> tuple[int, int, int, int, str]:
        """The lowest is the best."""
        id = node.node.id
        return (
            self._of_value[kind, self._values[id]] if self._spread is not None else 0,
            self._of_kind[kind, id],
            self._all[id],
            -self._free[id],
            node.node.name,
        )

    def add(self, node: NodeReport, one: Wanted) -> None:
        self._free[node.node.id] -= one.memory_mib
        self._count(node.node.id, one.kind)

    def _count(self, node_id: str, kind: ProcessType | None) -> None:
        """kind: None for what is another app's."""
        self._all[node_id] += 1
        if kind is not None:
            self._of_kind[kind, node_id] += 1
            self._of_value[kind, self._values[node_id]] += 1


def _value(node: NodeReport, label: str | None) -> str:
    """Nodes without the label are alike."""
    return node.seen.labels.get(label, "") if node.seen is not None and label is not None else ""


def _memory_mib(node: NodeReport) -> int:
    return node.seen.memory_bytes // _MIB - OWN_MIB if node.seen is not None else 0


def _unfit(node: NodeReport, scheduling: Scheduling) -> str | None:
    """Why nothing of the app may be there, as the rest of a clause; None: it may."""
    if node.state is not NodeState.READY or node.seen is None:
        return f"is {node.state}"
    for label, value in scheduling.constraints:
        has = node.seen.labels.get(label)
        if has != value:
            return f"has {label}={has}" if has is not None else f"has no label {label}"
    return None


def _no_room(
    one: Wanted, nodes: Sequence[NodeReport], tally: _Tally, scheduling: Scheduling
) -> PaasError:
    reasons = {node.node.name: _unfit(node, scheduling) for node in nodes}
    each = ", ".join(
        f"{node.node.name} {reasons[node.node.name] or f'has {tally.free_mib(node)} MiB'}"
        for node in sorted(nodes, key=lambda node: node.node.name)
    )
    if not nodes:
        what = f"{one.kind} is to run on a node, and this server has none"
        hint = "Add one: paas nodes:add root@10.0.0.2"
    elif None in reasons.values():
        what = f"{one.kind} needs {one.memory_mib} MiB of memory, which no node has left: {each}"
        hint = (
            "Former instances keep their memory until the new ones are up. Add a node, or let each "
            "instance use less: paas resource:limit memory=256m"
        )
    else:
        what, hint = f"No node can run {one.kind}: {each}", "See: paas nodes"
    return PaasError("no-room", f"{what}.", hint)
