"""What admins do with nodes, on a swarm and machines in memory."""

from ipaddress import IPv4Address

import pytest

from paas.domain.cluster.nodes import Login, Node, NodeState
from paas.domain.values.errors import PaasError
from tests.fakes.world import ROOT, World

ADDRESS = IPv4Address("10.0.0.1")


@pytest.fixture
def cluster(dockerized: World) -> World:
    """A server that manages nodes, and two machines that suit."""
    world = dockerized
    world.nodes.begin(ROOT, ADDRESS)
    world.node_machines.machine(2)
    world.node_machines.machine(3)
    return world


def added(world: World, number: int, **labels: str) -> Node:
    """Add the machine of that number."""
    return world.nodes.add(ROOT, Login(f"10.0.0.{number}"), labels, world.progress)


def states(world: World) -> dict[str, NodeState]:
    """Of all nodes."""
    return {one.node.name: one.state for one in world.nodes.look(ROOT).nodes}


def refused(world: World, number: int) -> PaasError:
    """Why a machine is not added."""
    with pytest.raises(PaasError) as caught:
        added(world, number)
    return caught.value


def test_a_machine_becomes_a_node(cluster: World) -> None:
    """All peers let each other in, and the token that it had lets nobody else join."""
    first, second = added(cluster, 2, zone="a"), added(cluster, 3)
    assert states(cluster) == {"web-2": NodeState.READY, "web-3": NodeState.READY}
    assert cluster.cluster.seen[first.id].labels == {"zone": "a"}
    peers = {ADDRESS, first.address, second.address}
    assert cluster.cluster.peers == peers
    assert list(cluster.node_machines.peers.values()) == [peers, peers]
    assert cluster.cluster.tokens == 2
    assert not list(cluster.nodes.check(ROOT))


def test_a_machine_that_does_not_suit_is_left_alone(cluster: World) -> None:
    """It is reported before anything is changed there."""
    cluster.node_machines.machine(2, cpu="aarch64", memory_mib=200)
    error = refused(cluster, 2)
    assert error.reference == "node-refused"
    assert "aarch64" in error.message
    assert "200 MiB" in error.message
    assert not cluster.node_machines.peers
    assert not states(cluster)


def test_adding_is_taken_up_where_it_was_interrupted(cluster: World) -> None:
    """A machine that joined, but was not ready in time, is recorded by the next call."""
    cluster.node_machines.becomes_ready = False
    assert refused(cluster, 2).reference == "node-not-ready"
    assert not states(cluster)
    assert [one.hostname for one in cluster.nodes.look(ROOT).strangers] == ["web-2"]
    cluster.cluster.set_ready("id-web-2", ready=True)
    added(cluster, 2)
    assert states(cluster) == {"web-2": NodeState.READY}


def test_a_failed_join_ends_its_token(cluster: World) -> None:
    """The machine may have kept it."""
    cluster.node_machines.cannot_join = "It cannot."
    assert refused(cluster, 2).message == "It cannot."
    assert cluster.cluster.tokens == 1
    assert not states(cluster)


def test_a_node_is_added_once(cluster: World) -> None:
    """The same machine again, or another of its name, is refused."""
    added(cluster, 2)
    assert "is the node web-2 already" in refused(cluster, 2).message
    cluster.node_machines.machine(4, name="web-2")
    assert "another node of its name" in refused(cluster, 4).message


def test_without_systemd_it_is_told_what_to_do(cluster: World) -> None:
    """Nothing loads the rules there at a boot."""
    cluster.node_machines.machine(2, has_systemd=False)
    added(cluster, 2)
    assert "no systemd" in "\n".join(cluster.progress.lines)


def test_draining_and_using_again(cluster: World) -> None:
    """The state says which."""
    added(cluster, 2)
    cluster.nodes.drain(ROOT, "web-2", cluster.progress)
    assert states(cluster) == {"web-2": NodeState.DRAINED}
    cluster.nodes.undrain(ROOT, "web-2")
    assert states(cluster) == {"web-2": NodeState.READY}
    with pytest.raises(PaasError) as caught:
        cluster.nodes.drain(ROOT, "web-9", cluster.progress)
    assert caught.value.reference == "no-such-node"


def test_a_node_is_removed(cluster: World) -> None:
    """It leaves, and the others let it in no longer."""
    added(cluster, 2)
    second = added(cluster, 3)
    cluster.nodes.remove(ROOT, "web-2", cluster.progress, force=False)
    assert states(cluster) == {"web-3": NodeState.READY}
    assert cluster.cluster.peers == {ADDRESS, second.address}
    assert cluster.node_machines.peers == {"root@10.0.0.3": {ADDRESS, second.address}}
    assert not cluster.node_machines.there["root@10.0.0.2"].swarm_id


def test_a_lost_node_is_removed_by_force(cluster: World) -> None:
    """Without that it stays, since it might go on."""
    added(cluster, 2)
    del cluster.node_machines.there["root@10.0.0.2"]
    with pytest.raises(PaasError) as caught:
        cluster.nodes.remove(ROOT, "web-2", cluster.progress, force=False)
    assert caught.value.hint is not None
    assert "nodes:remove web-2 --force" in caught.value.hint
    assert states(cluster) == {"web-2": NodeState.DRAINED}
    cluster.nodes.remove(ROOT, "web-2", cluster.progress, force=True)
    assert not states(cluster)
    assert set(cluster.cluster.seen) == {"manager"}


def test_one_that_does_not_answer_is_told_of_peers_later(cluster: World) -> None:
    """The next change tells it; adding another goes on."""
    added(cluster, 2)
    facts = cluster.node_machines.there.pop("root@10.0.0.2")
    second = added(cluster, 3)
    assert "web-2 has not received its new list of peers" in "\n".join(cluster.progress.lines)
    cluster.node_machines.there["root@10.0.0.2"] = facts
    cluster.node_machines.machine(4)
    added(cluster, 4)
    assert second.address in cluster.node_machines.peers["root@10.0.0.2"]


def test_the_check_finds_what_is_wrong(cluster: World) -> None:
    """Down, unknown to the swarm, not answering, moved, a stranger."""
    added(cluster, 2)
    added(cluster, 3)
    cluster.node_machines.machine(3, address=IPv4Address("10.0.0.33"), clock_ahead_s=90.0)
    cluster.cluster.remove("id-web-3")
    cluster.cluster.set_ready("id-web-2", ready=False)
    del cluster.node_machines.there["root@10.0.0.2"]
    cluster.node_machines.join(
        cluster.node_machines.machine(9), cluster.cluster.token(), ADDRESS, ADDRESS
    )
    found = [f"{name} {words}" for name, words in cluster.nodes.check(ROOT)]
    for words in (
        "web-9 is a member of the swarm, but was not added here",
        "web-2 does not answer the manager",
        "web-2 root@10.0.0.2 cannot be reached by ssh",
        "web-3 is not known to the swarm; remove it, and add it again",
        "web-3 its clock is 90 s ahead of this server's",
        "web-3 its Docker does not run",
        "web-3 has the address 10.0.0.33, but was added as 10.0.0.3",
    ):
        assert words in found
    assert len(found) == 7


def test_a_cluster_begins_and_ends(dockerized: World) -> None:
    """It ends when it has no nodes, and changes no address while it has some."""
    world = dockerized
    with pytest.raises(PaasError) as caught:
        world.nodes.look(ROOT)
    assert caught.value.reference == "no-cluster"
    assert world.nodes.begin(ROOT, ADDRESS) == world.nodes.begin(ROOT, ADDRESS)
    world.node_machines.machine(2)
    added(world, 2)
    for reference, wrong in (
        ("cluster-exists", lambda: world.nodes.begin(ROOT, IPv4Address("10.0.0.9"))),
        ("cluster-has-nodes", lambda: world.nodes.end(ROOT)),
    ):
        with pytest.raises(PaasError) as caught:
            wrong()
        assert caught.value.reference == reference
    world.nodes.remove(ROOT, "web-2", world.progress, force=False)
    world.nodes.end(ROOT)
    assert world.cluster.address is None
    assert world.store.cluster.address() is None


def test_a_failed_start_leaves_no_cluster(dockerized: World) -> None:
    """It can be tried again."""
    world = dockerized
    world.cluster.refuses = True
    with pytest.raises(PaasError):
        world.nodes.begin(ROOT, ADDRESS)
    assert world.store.cluster.address() is None


def test_without_docker_there_are_no_nodes(world: World) -> None:
    """A server that was installed without it."""
    with pytest.raises(PaasError) as caught:
        world.nodes.begin(ROOT, ADDRESS)
    assert caught.value.reference == "no-docker"
