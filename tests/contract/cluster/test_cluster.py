"""A swarm of its manager alone: the fake, and the real one, which runs by tests/run -m swarm."""

from collections.abc import Iterator
from ipaddress import IPv4Address

import pytest

from paas.adapters.cluster.swarm import SwarmCluster
from paas.domain.cluster.nodes import Availability, NodeState
from paas.domain.values.errors import PaasError
from paas.interfaces import Cluster
from tests.cluster_machines import machines
from tests.contract.cluster.manager import ManagerProcess
from tests.docker_engine import DockerEngine
from tests.fakes.cluster import FakeCluster

pytestmark = pytest.mark.timeout(600)
ADDRESS = IPv4Address("10.0.0.1")


@pytest.fixture(params=["fake", pytest.param("swarm", marks=pytest.mark.swarm)])
def begun(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """One that has begun."""
    if request.param == "fake":
        cluster: Cluster = FakeCluster()
        cluster.begin(ADDRESS)
        yield cluster
        return
    engine: DockerEngine = request.getfixturevalue("engine")
    manager: ManagerProcess = request.getfixturevalue("manager")
    with machines(0) as none:
        cluster = SwarmCluster(engine.settings, manager.keep)
        cluster.begin(none.server)
        yield cluster


def test_its_first_member_is_the_manager(begun: Cluster) -> None:
    """It runs nothing, and beginning again changes nothing."""
    (own,) = begun.members()
    assert own.is_manager
    assert own.state is NodeState.DRAINED
    assert [one.id for one in begun.members()] == [own.id]


def test_a_token_is_changed(begun: Cluster) -> None:
    """The next one differs."""
    first = begun.token()
    assert first.reveal() == begun.token().reveal()
    begun.change_token()
    assert begun.token().reveal() != first.reveal()


def test_members_are_changed(begun: Cluster) -> None:
    """Labels take the place of former ones; what is not named stays."""
    (own,) = begun.members()
    begun.set_labels(own.id, {"zone": "a", "disk": "ssd"})
    begun.set_labels(own.id, {"zone": "b"})
    begun.set_availability(own.id, Availability.PAUSE)
    assert begun.members()[0].state is NodeState.PAUSED
    begun.set_availability(own.id, Availability.ACTIVE)
    (own,) = begun.members()
    assert own.labels == {"zone": "b"}
    assert own.state is NodeState.READY
    begun.set_availability(own.id, Availability.DRAIN)
    assert begun.members()[0].labels == {"zone": "b"}


def test_unknown_members(begun: Cluster) -> None:
    """One that is unknown cannot be changed; to forget it is no error."""
    begun.remove("doesnotexist0000000000000")
    with pytest.raises(PaasError) as caught:
        begun.set_availability("doesnotexist0000000000000", Availability.DRAIN)
    assert caught.value.reference == "docker"


def test_after_its_end_there_is_none(begun: Cluster) -> None:
    """Nothing is asked of it any longer."""
    begun.end()
    with pytest.raises(PaasError) as caught:
        begun.members()
    assert caught.value.reference == "docker-down"
