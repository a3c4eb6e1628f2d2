"""Which instances are lost with their nodes, and when it is tried to start them elsewhere."""

from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import IPv4Address

import pytest

from paas.domain.cluster.lost import (
    FIRST_PAUSE_S,
    LONGEST_PAUSE_S,
    Attempt,
    due_apps,
    failed_attempt,
    lost_instances,
    place_words,
    ready_ids,
)
from paas.domain.cluster.nodes import Availability, Login, Node, NodeName, NodeReport, SeenNode
from paas.domain.releases.artifacts import DOCKER, SWARM
from paas.domain.releases.releases import Instance
from paas.domain.values.names import ProcessType

READY = frozenset({"id-web-2"})
LOST = frozenset({"1-v1-1-web.1"})


def a_node(number: int, *, ready: bool = True, availability: str = "active") -> NodeReport:
    """As Swarm sees one."""
    name, address = NodeName(f"web-{number}"), IPv4Address(f"10.0.0.{number}")
    node = Node(name, f"id-{name}", Login(str(address)), address, datetime(2026, 1, 1, tzinfo=UTC))
    seen = SeenNode(node.id, name, is_ready=ready, availability=Availability(availability))
    return NodeReport(node, seen)


def on(number: int) -> Instance:
    """An instance on the node of that number."""
    address = f"10.0.0.{number}"
    return Instance(1, 1, 1, ProcessType("web"), number, 5_000, address=address, engine=SWARM)


NODES = [
    a_node(2),
    a_node(3, ready=False),
    a_node(4, availability="drain"),
    a_node(5, availability="pause"),
    replace(a_node(6), seen=None),
]


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (3, "web-3, which is down"),
        (4, "web-4, which is drained"),
        (6, "web-6, which is gone"),
        (9, "10.0.0.9, which is no longer a node"),
    ],
)
def test_what_is_lost(number: int, words: str) -> None:
    """Whatever the reason, it is reported."""
    instances = [on(2), on(5), on(number)]
    assert lost_instances(instances, NODES) == [on(number)]
    assert place_words(on(number), NODES) == words


def test_what_a_node_has_that_is_to_be_left() -> None:
    """As if it were lost; what runs on the server itself never is."""
    assert lost_instances([on(2), on(5)], NODES, "web-5") == [on(5)]
    assert lost_instances([replace(on(9), engine=DOCKER)], NODES) == []


def test_only_ready_nodes_take_anything() -> None:
    """A paused one does not."""
    assert ready_ids(NODES) == {"id-web-2"}


def test_the_first_attempt_is_at_once() -> None:
    """Unless one goes on, or there is no node that could take it."""
    assert due_apps({1: LOST, 2: LOST}, READY, {}, {2}, 0.0) == [1]
    assert due_apps({1: LOST}, frozenset(), {}, (), 0.0) == []


def test_pauses_grow() -> None:
    """Each is twice as long as the one before, up to the longest."""
    attempt, pauses, now = None, [], 100.0
    for _ in range(9):
        attempt = failed_attempt(attempt, LOST, READY, now)
        pauses.append(attempt.due - now)
        assert due_apps({1: LOST}, READY, {1: attempt}, (), attempt.due - 0.1) == []
        now = attempt.due
        assert due_apps({1: LOST}, READY, {1: attempt}, (), now) == [1]
    assert pauses[:3] == [FIRST_PAUSE_S, 2 * FIRST_PAUSE_S, 4 * FIRST_PAUSE_S]
    assert pauses[-1] == LONGEST_PAUSE_S


@pytest.mark.parametrize(
    ("lost", "ready"),
    [(LOST, READY | {"id-web-3"}), (LOST | {"1-v1-1-web.2"}, READY)],
)
def test_news_end_a_pause(lost: frozenset[str], ready: frozenset[str]) -> None:
    """Another node, or more that is lost; the pauses begin again then."""
    failed = Attempt(LOST, READY, 5, due=1_000.0)
    assert due_apps({1: lost}, ready, {1: failed}, (), 10.0) == [1]
    after = failed_attempt(failed, lost, ready, 10.0)
    assert (after.count, after.due) == (1, 10.0 + FIRST_PAUSE_S)


def test_a_node_that_goes_is_no_news() -> None:
    """There is no more room than before."""
    failed = Attempt(LOST, READY | {"id-web-3"}, 1, due=1_000.0)
    assert due_apps({1: LOST}, READY, {1: failed}, (), 10.0) == []
