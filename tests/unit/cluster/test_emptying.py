"""Nodes are emptied before they are drained or removed, without a lost request."""

import pytest

from paas.domain.cluster.nodes import Availability, NodeState
from paas.domain.releases.artifacts import SWARM
from paas.domain.releases.releases import Instance
from paas.domain.values.errors import PaasError
from paas.domain.values.names import ProcessType
from tests.fakes.world import ROOT, World
from tests.unit.cluster.on_nodes import NO_ROOM, Cluster, shop_on_nodes, with_three_nodes
from tests.unit.cluster.test_nodes import states


@pytest.fixture
def world(dockerized: World) -> World:
    """A server with three nodes."""
    return with_three_nodes(dockerized)


@pytest.fixture
def cluster(world: World) -> Cluster:
    """See `shop_on_nodes`."""
    return shop_on_nodes(world)


def test_a_node_is_emptied_before_it_is_drained(world: World, cluster: Cluster) -> None:
    """While it is paused its instances serve until the others do."""
    during: list[object] = []
    world.probe.meanwhile = lambda: during.append((states(world)["web-2"], len(cluster.running)))
    assert [one.instances for one in world.nodes.look(ROOT).nodes] == [1, 1, 0]
    world.nodes.drain(ROOT, "web-2", world.progress)
    assert (NodeState.PAUSED, 3) in during
    assert states(world)["web-2"] is NodeState.DRAINED
    assert cluster.where() == {"web.1": "4", "web.2": "3"}
    assert [one.instances for one in world.nodes.look(ROOT).nodes] == [0, 1, 1]
    cluster.look()
    assert world.moves.asked == [["shop"]]
    world.nodes.undrain(ROOT, "web-2")
    assert states(world)["web-2"] is NodeState.READY


@pytest.mark.parametrize("command", ["drain", "remove"])
def test_a_node_that_cannot_be_emptied_is_left_paused(
    world: World, cluster: Cluster, command: str
) -> None:
    """The reason is shown and logged, and what is there goes on."""
    cluster.full = True
    with pytest.raises(PaasError) as caught:
        if command == "drain":
            world.nodes.drain(ROOT, "web-2", world.progress)
        else:
            world.nodes.remove(ROOT, "web-2", world.progress, force=False)
    assert caught.value.reference == "node-not-empty"
    assert any(NO_ROOM in line for line in world.progress.lines)
    assert any(NO_ROOM in text for _, _, text in world.logs.lines)
    assert states(world)["web-2"] is NodeState.PAUSED
    assert cluster.where() == {"web.1": "2", "web.2": "3"}


def test_a_node_is_emptied_before_it_is_removed(world: World, cluster: Cluster) -> None:
    """Nothing is lost, so nothing has to be found again."""
    world.nodes.remove(ROOT, "web-2", world.progress, force=False)
    assert set(states(world)) == {"web-3", "web-4"}
    assert cluster.where() == {"web.1": "4", "web.2": "3"}
    cluster.look()
    assert world.moves.asked == [["shop"]]


def free(world: World) -> None:
    """The deploy of the app has ended."""
    del world.locks.held[1]


def test_what_a_deploy_is_about_to_place_is_moved_too(world: World, cluster: Cluster) -> None:
    """It chose the node before that was paused: the move comes after it."""
    world.locks.held[1] = "alice deploys"
    world.moves.meanwhile = lambda: free(world)
    world.nodes.drain(ROOT, "web-4", world.progress)
    assert world.moves.asked == [["shop"]]
    assert cluster.where() == {"web.1": "2", "web.2": "3"}


def test_changes_that_begin_later_are_not_waited_for(world: World, cluster: Cluster) -> None:
    """They cannot choose the node."""
    for number in (2, 3):
        world.cluster.set_availability(f"id-web-{number}", Availability.PAUSE)
    cluster.add_app("blog", 1)
    for number in (2, 3):
        world.cluster.set_availability(f"id-web-{number}", Availability.ACTIVE)
    assert cluster.where("blog") == {"web.1": "4"}
    world.moves.meanwhile = lambda: world.locks.held.update({2: "alice deploys"})
    world.nodes.drain(ROOT, "web-2", world.progress)
    assert world.moves.asked == [["shop"]]
    assert states(world)["web-2"] is NodeState.DRAINED


def test_the_last_requests_of_others_are_waited_for(world: World, cluster: Cluster) -> None:
    """What a deploy replaced a moment ago may still serve on the node."""
    old = Instance(1, 1, 99, ProcessType("web"), 9, 5_999, address="10.0.0.4", engine=SWARM)
    world.store.instances.add([old])
    world.locks.marked[1] += 1
    waited = []

    def sleep(seconds: float) -> None:
        waited.append(states(world)["web-4"])
        world.locks.marked[1] -= 1

    world.clock.sleep = sleep  # type: ignore[method-assign]
    world.nodes.drain(ROOT, "web-4", world.progress)
    assert waited == [NodeState.PAUSED]
    assert states(world)["web-4"] is NodeState.DRAINED


def test_the_cluster_ends_when_nothing_is_on_nodes(world: World, cluster: Cluster) -> None:
    """Also after the loss of all: without a manager, these apps could not be changed."""
    for number in (2, 3, 4):
        world.nodes.remove(ROOT, f"web-{number}", world.progress, force=True)
    with pytest.raises(PaasError) as caught:
        world.nodes.end(ROOT)
    assert caught.value.reference == "cluster-has-apps"
    assert caught.value.hint is not None
    world.scheduling.choose(ROOT, "shop", "local", world.progress)
    assert not cluster.running
    world.nodes.end(ROOT)
