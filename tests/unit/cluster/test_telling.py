"""Nodes that become ready are told of their peers."""

from paas.services.cluster.telling import PeerTelling
from tests.fakes.world import ROOT, World
from tests.unit.cluster.test_nodes import ADDRESS, added


def test_nodes_are_told_of_all_peers(dockerized: World) -> None:
    """Only those that are named; one that does not answer is reported, and stops nothing."""
    dockerized.nodes.begin(ROOT, ADDRESS)
    machines = dockerized.node_machines
    for number in (2, 3, 4):
        machines.machine(number)
        added(dockerized, number)
    everybody = machines.peers["root@10.0.0.4"]
    for login in ("root@10.0.0.2", "root@10.0.0.3", "root@10.0.0.4"):
        machines.peers[login] = set()
    del machines.there["root@10.0.0.2"]
    telling = PeerTelling(dockerized.store, machines, dockerized.locks)
    failed = list(telling.tell({"id-web-2", "id-web-3", "unknown"}))
    assert [(name, error.reference) for name, error in failed] == [("web-2", "node-unreachable")]
    assert len(everybody) == 4
    assert machines.peers["root@10.0.0.3"] == everybody
    assert machines.peers["root@10.0.0.4"] == set()


def test_without_a_cluster_nobody_is_told(dockerized: World) -> None:
    """It may have ended meanwhile."""
    telling = PeerTelling(dockerized.store, dockerized.node_machines, dockerized.locks)
    assert not list(telling.tell({"id-web-2"}))
