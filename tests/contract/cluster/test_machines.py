"""Nodes for real: a manager of this server's, and machines in network namespaces, by ssh.

Not part of a usual run: tests/run -m swarm.
"""

import shlex
import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from paas.adapters.cluster.machines import SshMachines
from paas.adapters.cluster.registry import DockerRegistry
from paas.adapters.cluster.swarm import SwarmCluster
from paas.adapters.docker.connection import docker_client
from paas.adapters.system.clock import SystemClock
from paas.domain.cluster.nodes import Node, NodeState, SeenNode
from paas.domain.values.errors import PaasError
from paas.services.cluster.nodes import Nodes
from tests.cluster_machines import Machine, Machines, machines
from tests.contract.cluster.manager import ManagerProcess
from tests.docker_engine import DockerEngine
from tests.fakes.output import FakeProgress
from tests.fakes.world import ROOT, World
from tests.node_registry import small_image
from tests.waiting import wait_for

pytestmark = [pytest.mark.swarm, pytest.mark.timeout(600)]
# How long a connection that must not come about is tried.
TRIED_S = 3.0
ENGINE_FILE = "/etc/docker/daemon.json"


class Cluster:
    """A server, whose address is the first of its network, and two machines that let it in."""

    def __init__(self, nodes: Nodes, machines: Machines) -> None:
        self.nodes = nodes
        self.server = machines.server
        self.first, self.second = machines.nodes
        self.progress = FakeProgress()

    def add(self, machine: Machine, **labels: str) -> Node:
        """Make it a node."""
        return self.nodes.add(ROOT, machine.login, labels, self.progress)

    def states(self) -> dict[str, NodeState]:
        """Of all nodes."""
        return {one.node.name: one.state for one in self.nodes.look(ROOT).nodes}


@pytest.fixture
def cluster(
    engine: DockerEngine, manager: ManagerProcess, registry: DockerRegistry, tmp_path: Path
) -> Iterator[Cluster]:
    """Without a node."""
    world = World(tmp_path, docker=True)
    swarm = SwarmCluster(engine.settings, manager.keep)
    nodes = Nodes(
        store=world.store,
        cluster=swarm,
        machines=SshMachines(engine.settings),
        emptying=replace(world.nodes.emptying, cluster=swarm),
        registry=registry,
        locks=world.locks,
        clock=SystemClock(),
        has_docker=True,
        changed=lambda: None,
    )
    with machines(2) as made:
        key = nodes.begin(ROOT, made.server)
        for machine in made.nodes:
            machine.let_in(key)
        yield Cluster(nodes, made)
    engine.settings.paths.known_nodes.unlink(missing_ok=True)


def refused(machine: Machine, *words: str) -> str:
    """What a command says that fails."""
    done = machine.ask("sh", "-c", f"{shlex.join(words)} 2>&1 || echo failed")
    assert done.endswith("failed")
    return done.removesuffix("failed").strip()


def answers(host: object, port: int, *, source: str) -> bool:
    """Whether a connection comes about."""
    with closing(socket.socket()) as probe:
        probe.settimeout(TRIED_S)
        probe.bind((source, 0))
        return probe.connect_ex((str(host), port)) == 0


def test_the_life_of_a_node(cluster: Cluster) -> None:
    """It joins, is drained, is cut off and comes back, and leaves without a trace."""
    first, second = cluster.first, cluster.second
    own = '{"max-concurrent-downloads": 2}'
    first.ask("sh", "-c", f"echo '{own}' >{ENGINE_FILE}")
    cluster.add(first, zone="a")
    assert '"no-new-privileges": true' in first.ask("cat", ENGINE_FILE)
    cluster.add(second)
    assert cluster.states() == {"web-2": NodeState.READY, "web-3": NodeState.READY}
    assert not list(cluster.nodes.check(ROOT))
    seen = cluster.nodes.info(ROOT, "web-2").seen
    assert seen is not None
    assert (seen.labels, seen.engine) == (
        {"zone": "a"},
        first.ask("docker", "version", "-f", "{{.Server.Version}}"),
    )

    cluster.nodes.drain(ROOT, "web-2", cluster.progress)
    assert cluster.states()["web-2"] is NodeState.DRAINED
    cluster.nodes.undrain(ROOT, "web-2")

    first.freeze(frozen=True)
    wait_for(lambda: cluster.states()["web-2"] is NodeState.DOWN, what="web-2 is down")
    assert ("web-2", "does not answer the manager") in list(cluster.nodes.check(ROOT))
    first.freeze(frozen=False)
    wait_for(lambda: cluster.states()["web-2"] is NodeState.READY, what="web-2 is back")

    cluster.nodes.remove(ROOT, "web-2", cluster.progress, force=False)
    assert cluster.states() == {"web-3": NodeState.READY}
    assert first.ask("docker", "info", "-f", "{{.Swarm.LocalNodeState}}") == "inactive"
    assert "paas_node" not in first.ask("nft", "list", "tables")
    assert first.ask("cat", ENGINE_FILE) == own
    cluster.add(first)
    assert cluster.states() == {"web-2": NodeState.READY, "web-3": NodeState.READY}


def test_nodes_pull_images(
    cluster: Cluster, engine: DockerEngine, registry: DockerRegistry
) -> None:
    """By digest, with the password; who is no node, or has no password, gets nothing."""
    first, second = cluster.first, cluster.second
    cluster.add(first)
    assert not list(cluster.nodes.check(ROOT))
    name = registry.publish(small_image(engine.settings, "1-pulled"))
    docker = ("docker", "--config", "/run/config")
    assert "no basic auth credentials" in refused(first, *docker, "pull", "--quiet", name)
    user, password = registry.login()
    words = (*docker, "login", "--username", user, "--password", password.reveal(), registry.host())
    first.ask(*words)
    assert first.ask(*docker, "pull", "--quiet", name) == name
    refused(second, "timeout", str(TRIED_S), *words)
    registry.end()
    problems = dict(cluster.nodes.check(ROOT))
    assert set(problems) == {"server", "web-2"}
    cluster.nodes.begin(ROOT, cluster.server)
    assert not list(cluster.nodes.check(ROOT))
    cluster.nodes.remove(ROOT, "web-2", cluster.progress, force=False)
    assert not first.ask("ls", "/etc/docker/certs.d")


def test_strangers_reach_nothing_of_a_cluster(cluster: Cluster) -> None:
    """Neither of the manager nor of a node, though both listen on all addresses; peers do."""
    first, second = cluster.first, cluster.second
    cluster.add(first)
    own, stranger = str(cluster.server), str(cluster.server).rpartition(".")[0] + ".250"
    second.ask("ip", "address", "add", f"{stranger}/24", "dev", "eth0")
    connect = (
        "import socket, sys; s = socket.socket(); s.settimeout(float(sys.argv[4])); "
        "s.bind((sys.argv[3], 0)); sys.exit(s.connect_ex((sys.argv[1], int(sys.argv[2]))) != 0)"
    )
    for host, port in ((own, 2377), (str(first.address), 7946)):
        for source in (stranger, str(second.address)):
            words = (connect, host, str(port), source, str(TRIED_S), "&& echo open")
            tried = f"/usr/bin/python3 -c '{words[0]}' {' '.join(words[1:])}"
            assert second.ask("sh", "-c", tried, check=False) == "", (host, port, source)
    assert answers(first.address, 7946, source=own)
    assert answers(first.address, 22, source=own)
    cluster.add(second)
    tried = f"/usr/bin/python3 -c '{connect}' {own} 2377 {second.address} 60 && echo open"
    assert second.ask("sh", "-c", tried, check=False) == "open"


def test_a_token_is_good_for_one_machine(cluster: Cluster) -> None:
    """Who has seen one cannot join with it, as a peer either."""
    token = cluster.nodes.cluster.token().reveal()
    cluster.add(cluster.first)
    cluster.add(cluster.second)
    cluster.nodes.remove(ROOT, "web-3", cluster.progress, force=False)
    cluster.nodes.cluster.let_peers([cluster.first.address, cluster.second.address])
    cluster.second.ask(
        *("docker", "swarm", "join", "--token", token, f"{cluster.server}:2377"), check=False
    )
    assert not cluster.nodes.look(ROOT).strangers


def test_a_node_that_has_not_answered_since_the_start_of_the_manager(
    cluster: Cluster, manager: ManagerProcess
) -> None:
    """It is unknown, then down, and told apart from one that was lost under way."""
    cluster.add(cluster.first)
    cluster.first.freeze(frozen=True)
    manager.restart()

    def seen() -> SeenNode:
        try:
            found = cluster.nodes.info(ROOT, "web-2").seen
        except PaasError:  # the manager is not up yet
            found = None
        return found or SeenNode("", "", is_ready=True)

    wait_for(lambda: seen().is_unknown, what="unknown")
    wait_for(lambda: seen().is_unheard, what="unheard")
    assert seen().state is NodeState.DOWN
    cluster.first.freeze(frozen=False)
    wait_for(lambda: seen().id and seen().is_ready, what="ready")
    assert not seen().is_unheard


def test_a_lost_node_is_removed(cluster: Cluster) -> None:
    """It is seen to be down within seconds, and removed by force alone."""
    cluster.add(cluster.first)
    cluster.add(cluster.second)
    cluster.first.kill()
    wait_for(lambda: cluster.states()["web-2"] is NodeState.DOWN, what="web-2 is down")
    with pytest.raises(PaasError) as caught:
        cluster.nodes.remove(ROOT, "web-2", cluster.progress, force=False)
    assert caught.value.reference == "node-unreachable"
    cluster.nodes.remove(ROOT, "web-2", cluster.progress, force=True)
    assert cluster.states() == {"web-3": NodeState.READY}


def test_a_killed_manager_is_back_and_touches_no_container(
    cluster: Cluster, engine: DockerEngine, manager: ManagerProcess
) -> None:
    """The engine of the server's own containers is another one; it keeps its live-restore."""
    with docker_client(engine.settings) as client:
        made = client.api.create_container(engine.image.id, ["/bin/sleep", "600"])
        client.api.start(made["Id"])
        started = client.api.inspect_container(made["Id"])["State"]["Pid"]
        cluster.add(cluster.first)
        manager.restart()
        wait_for(lambda: _is_up(cluster), what="the manager is back")
        wait_for(lambda: cluster.states()["web-2"] is NodeState.READY, what="web-2 is ready")
        assert client.api.inspect_container(made["Id"])["State"]["Pid"] == started
        assert client.api.info()["LiveRestoreEnabled"]
        client.api.remove_container(made["Id"], force=True)


def test_what_is_no_machine_of_ours(cluster: Cluster) -> None:
    """One that does not let the server in, and this server itself, are refused by name."""
    cluster.first.let_in("")
    with pytest.raises(PaasError) as caught:
        cluster.add(cluster.first)
    assert caught.value.reference == "node-unreachable"
    assert caught.value.hint is not None
    assert "ssh-ed25519 " in caught.value.hint
    assert not cluster.states()


def test_an_address_of_another_machine_is_refused(
    engine: DockerEngine, manager: ManagerProcess
) -> None:
    """Nothing is left of the attempt."""
    with machines(1) as one, pytest.raises(PaasError) as caught:
        SwarmCluster(engine.settings, manager.keep).begin(one.nodes[0].address)
    assert caught.value.reference == "cluster-address"
    assert not engine.settings.paths.cluster_peers.exists()


def _is_up(cluster: Cluster) -> bool:
    try:
        cluster.states()
    except PaasError:
        return False
    return True
