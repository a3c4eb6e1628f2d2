"""A machine that becomes a node: the fake, and a real one, which runs by tests/run -m swarm."""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address

import pytest

from paas.adapters.cluster.machines import SshMachines
from paas.adapters.cluster.swarm import SwarmCluster
from paas.domain.cluster.nodes import Login
from paas.domain.values.errors import PaasError
from paas.interfaces import Cluster, NodeMachines
from tests.cluster_machines import machines
from tests.contract.cluster.manager import ManagerProcess
from tests.docker_engine import DockerEngine
from tests.fakes.cluster import FakeCluster, FakeNodeMachines
from tests.fakes.output import FakeProgress

pytestmark = pytest.mark.timeout(600)


@dataclass(frozen=True, slots=True)
class Joining:
    """A cluster, and a machine that lets its server in."""

    cluster: Cluster
    machines: NodeMachines
    login: Login
    server: IPv4Address


@pytest.fixture(params=["fake", pytest.param("swarm", marks=pytest.mark.swarm)])
def joining(request: pytest.FixtureRequest) -> Iterator[Joining]:
    """The machine belongs to no swarm yet."""
    if request.param == "fake":
        fake, address = FakeCluster(), IPv4Address("10.0.0.1")
        fake.begin(address)
        in_memory = FakeNodeMachines(fake)
        yield Joining(fake, in_memory, in_memory.machine(2), address)
        return
    engine: DockerEngine = request.getfixturevalue("engine")
    manager: ManagerProcess = request.getfixturevalue("manager")
    with machines(1) as made:
        cluster = SwarmCluster(engine.settings, manager.keep)
        cluster.begin(made.server)
        by_ssh = SshMachines(engine.settings)
        made.nodes[0].let_in(by_ssh.public_key())
        yield Joining(cluster, by_ssh, made.nodes[0].login, made.server)
    engine.settings.paths.known_nodes.unlink(missing_ok=True)


def test_a_machine_joins_and_leaves(joining: Joining) -> None:
    """It says to which swarm it belongs, and that one knows it."""
    by_ssh, login, address = joining.machines, joining.login, IPv4Address(joining.login.host)
    assert by_ssh.public_key().startswith("ssh-ed25519 ")
    facts = by_ssh.facts(login)
    assert (facts.name, facts.address, facts.caller) == ("web-2", address, joining.server)
    assert (facts.is_root, facts.swarm_id) == (True, "")
    assert by_ssh.host_key(login).startswith("SHA256:")
    by_ssh.prepare(login, joining.server, [], FakeProgress())
    joining.cluster.let_peers([address])
    id = by_ssh.join(login, joining.cluster.token(), joining.server, address)
    assert id in {one.id for one in joining.cluster.members()}
    facts = by_ssh.facts(login)
    assert facts.swarm_id == id
    assert facts.engine
    by_ssh.let_peers(login, joining.server, [address])
    by_ssh.leave(login)
    assert by_ssh.facts(login).swarm_id == ""


def test_what_does_not_answer(joining: Joining) -> None:
    """Nobody listens at that port."""
    with pytest.raises(PaasError) as caught:
        joining.machines.facts(Login("127.0.0.1", 1))
    assert caught.value.reference == "node-unreachable"
