"""Which nodes instances get: spread out, with room for them, and always the same ones."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import IPv4Address
from itertools import permutations

import pytest

from paas.domain.cluster.nodes import Availability, Login, Node, NodeName, NodeReport, SeenNode
from paas.domain.cluster.placement import OWN_MIB, Placed, Wanted, place
from paas.domain.cluster.scheduling import Scheduling
from paas.domain.values.errors import PaasError
from paas.domain.values.names import ProcessType

APP, OTHER = 12, 13
WEB, WORKER = ProcessType("web"), ProcessType("worker")
ANYWHERE = Scheduling()
BY_ZONE = Scheduling(spread="zone")
MIB = 1024**2


def a_node(number: int, memory_mib: int = 1_000, **labels: str) -> NodeReport:
    """A node that is ready. memory_mib: beside what it takes itself."""
    name, address = NodeName(f"web-{number}"), IPv4Address(f"10.0.0.{number}")
    login, added = Login(str(address)), datetime(2026, 1, 1, tzinfo=UTC)
    seen = SeenNode(
        f"id-{name}",
        *(name, True),
        memory_bytes=(memory_mib + OWN_MIB) * MIB,
        labels=labels,
    )
    return NodeReport(Node(name, f"id-{name}", login, address, added), seen)


def down(node: NodeReport) -> NodeReport:
    """The same, as it is while it does not answer."""
    assert node.seen is not None
    return replace(node, seen=replace(node.seen, is_ready=False))


def drained(node: NodeReport) -> NodeReport:
    """The same, while it gets nothing."""
    assert node.seen is not None
    return replace(node, seen=replace(node.seen, availability=Availability.DRAIN))


def there(number: int, name: str = "web.1", app: int = APP, memory_mib: int = 0) -> Placed:
    """An instance that is on a node."""
    return Placed(name, f"id-web-{number}", memory_mib, app, ProcessType(name.split(".")[0]))


def placed(
    wanted: Sequence[Wanted],
    nodes: Sequence[NodeReport],
    present: Sequence[Placed] = (),
    scheduling: Scheduling = ANYWHERE,
) -> list[str]:
    """The names of the nodes, in the order of what is wanted."""
    return [str(node.name) for node in place(APP, wanted, nodes, present, scheduling)]


def refused(
    wanted: Sequence[Wanted],
    nodes: Sequence[NodeReport],
    present: Sequence[Placed] = (),
    scheduling: Scheduling = ANYWHERE,
) -> PaasError:
    """Why they cannot be placed."""
    with pytest.raises(PaasError) as caught:
        place(APP, wanted, nodes, present, scheduling)
    assert caught.value.reference == "no-room"
    return caught.value


def web(count: int, memory_mib: int = 0) -> list[Wanted]:
    """So many instances of web."""
    return [Wanted(WEB, memory_mib)] * count


NODES = [a_node(2), a_node(3), a_node(4)]


def test_instances_of_a_type_go_to_different_nodes() -> None:
    """As evenly as they can be."""
    assert placed(web(3), NODES) == ["web-2", "web-3", "web-4"]
    assert Counter(placed(web(7), NODES)) == {"web-2": 3, "web-3": 2, "web-4": 2}


def test_each_type_is_spread_for_itself() -> None:
    """And the types over all nodes: nothing has two while another has none."""
    wanted = [Wanted(WEB, 0), Wanted(WORKER, 0), Wanted(WEB, 0), Wanted(WORKER, 0)]
    found = placed(wanted, [a_node(2), a_node(3)])
    assert {found[0], found[2]} == {found[1], found[3]} == {"web-2", "web-3"}
    assert len(set(placed([*wanted[:2], Wanted(ProcessType("clock"), 0)], NODES))) == 3


def test_what_others_run_counts_last() -> None:
    """Another app's instances send one elsewhere, unless that has one of this type already."""
    others = [there(2, app=OTHER), there(2, "web.2", app=OTHER), there(3, app=OTHER)]
    assert placed(web(1), NODES, others) == ["web-4"]
    assert placed(web(1), NODES, [*others, there(3), there(4)]) == ["web-2"]
    assert placed(web(1), NODES, [*others, there(3, "worker.1")]) == ["web-4"]
    service = Placed("a service of the operator", "id-web-2", 0)
    assert placed(web(1), NODES, [service]) == ["web-3"]


def test_kept_instances_count_and_replaced_ones_do_not() -> None:
    """web.1 stays where it is, so the new web.2 goes elsewhere; a whole roll-out starts afresh."""
    assert placed(web(1), NODES, [there(2), replace(there(3, "web.2"), stays=False)]) == ["web-3"]
    former = [replace(there(2, f"web.{number}"), stays=False) for number in (1, 2)]
    assert placed(web(3), NODES, former) == ["web-2", "web-3", "web-4"]


def test_a_label_is_spread_over_first() -> None:
    """Two nodes of one zone get together what the only one of another gets."""
    nodes = [a_node(2, zone="a"), a_node(3, zone="a"), a_node(4, zone="b")]
    found = Counter(placed(web(4), nodes, scheduling=BY_ZONE))
    assert found == {"web-2": 1, "web-3": 1, "web-4": 2}
    assert placed(web(1), nodes, [there(2), there(2, "web.2")], BY_ZONE) == ["web-4"]
    assert placed(web(1), nodes, [there(4), there(4, "web.2")], BY_ZONE) == ["web-2"]


def test_nodes_without_the_label_are_alike() -> None:
    """As if it had one more value."""
    nodes = [a_node(2), a_node(3), a_node(4, zone="b")]
    assert Counter(placed(web(4), nodes, scheduling=BY_ZONE)) == {
        "web-2": 1,
        "web-3": 1,
        "web-4": 2,
    }


def test_a_node_needs_room() -> None:
    """Memory goes before evenness; what is reserved is gone, whoever has it."""
    nodes = [a_node(2, 300), a_node(3, 1_000)]
    assert placed(web(2, 400), nodes) == ["web-3", "web-3"]
    service = Placed("a service of the operator", "id-web-3", 700)
    assert placed(web(1, 300), nodes, [service]) == ["web-2"]
    leaving = replace(there(3, memory_mib=800), stays=False)
    assert placed(web(1, 300), nodes, [leaving]) == ["web-2"]


def test_instances_without_a_limit_need_no_room() -> None:
    """They reserve nothing, and fit where all is reserved."""
    assert placed(web(1), [a_node(2)], [there(2, memory_mib=2_000)]) == ["web-2"]


def test_of_empty_nodes_the_one_with_most_memory_is_first() -> None:
    """Then the name decides."""
    assert placed(web(1), [a_node(2), a_node(3, 2_000)]) == ["web-3"]
    assert placed(web(1), [a_node(10), a_node(9)]) == ["web-10"]


def test_the_largest_are_placed_first() -> None:
    """Small ones do not take the only place of a large one; the answer is in the order asked."""
    wanted = [*web(2, 200), Wanted(WORKER, 500)]
    assert placed(wanted, [a_node(2, 600), a_node(3, 450)]) == ["web-3", "web-3", "web-2"]


def test_what_does_not_fit_is_told_for_each_node() -> None:
    """With what each has after what was placed before; the others, why they do not count."""
    nodes = [a_node(2, 700), down(a_node(3)), drained(a_node(4)), a_node(5, 100)]
    error = refused(web(2, 512), nodes)
    assert error.message == (
        "web needs 512 MiB of memory, which no node has left: web-2 has 188 MiB, web-3 is down, "
        "web-4 is drained, web-5 has 100 MiB."
    )
    assert error.hint is not None
    assert "paas resource:limit" in error.hint


def test_more_reserved_than_there_is_leaves_nothing() -> None:
    """A node may have lost memory since."""
    assert (
        "web-2 has 0 MiB"
        in refused(web(1, 10), [a_node(2, 100)], [there(2, "w.1", 13, 200)]).message
    )


def test_constraints_choose_nodes() -> None:
    """All of them must be met; that a node cannot be used is told by what it has instead."""
    nodes = [
        *(a_node(2, disk="ssd", zone="a"), a_node(3, disk="ssd", zone="b"), a_node(4, zone="b")),
        down(a_node(5, disk="ssd", zone="b")),
    ]
    scheduling = Scheduling(constraints=(("disk", "ssd"), ("zone", "b")))
    assert placed(web(2), nodes, scheduling=scheduling) == ["web-3", "web-3"]
    assert refused(web(1), [*nodes[:1], *nodes[2:]], scheduling=scheduling).message == (
        "No node can run web: web-2 has zone=a, web-4 has no label disk, web-5 is down."
    )
    full = refused(web(1, 2_000), nodes, scheduling=scheduling).message
    assert "web-2 has zone=a, web-3 has 1000 MiB" in full


def test_nodes_that_are_not_ready_get_nothing() -> None:
    """Nor what the swarm has forgotten."""
    gone = replace(a_node(2), seen=None)
    assert placed(web(2), [gone, down(a_node(3)), drained(a_node(4)), a_node(5)]) == ["web-5"] * 2
    assert "web-2 is gone, web-3 is drained" in refused(web(1), [gone, drained(a_node(3))]).message
    error = refused(web(1), [])
    assert (error.message, error.hint) == (
        "web is to run on a node, and this server has none.",
        "Add one: paas nodes:add root@10.0.0.2",
    )


def test_what_is_on_unknown_nodes_is_not_counted() -> None:
    """Such as on a member that was not added here."""
    assert placed(web(1), [a_node(2)], [there(9, memory_mib=100)]) == ["web-2"]


def test_the_same_question_has_the_same_answer() -> None:
    """In whichever order the nodes and what they have are listed."""
    nodes = [a_node(2, zone="a"), a_node(3, zone="b"), a_node(4, zone="b"), a_node(5)]
    present = [there(2), there(3, app=OTHER), there(4, "worker.1")]
    wanted = [*web(3, 100), Wanted(WORKER, 300)]
    answers = {
        tuple(placed(wanted, list(order), list(what), BY_ZONE))
        for order in permutations(nodes)
        for what in permutations(present)
    }
    assert len(answers) == 1


def test_nothing_wanted_is_no_error() -> None:
    """Also without nodes."""
    assert placed([], []) == []
