"""When the process `nodes` looks at what."""

from collections.abc import Set

import pytest

from paas.domain.cluster.nodes import Availability, ClusterReport, NodeState
from paas.domain.releases.artifacts import NATIVE, SWARM
from paas.domain.releases.releases import Instance
from paas.domain.values.errors import PaasError
from paas.domain.values.names import ProcessType
from paas.entrypoints.daemons.nodes import NodeWatch
from tests.fakes.world import ROOT, World
from tests.unit.cluster.test_nodes import ADDRESS, added


class Recorder:
    """Both halves of what it has looked at. states: of the first node at each look."""

    def __init__(self) -> None:
        self.states: list[NodeState] = []
        self.looked = 0
        self.asked_again = 0
        self.changes = False
        self.expected: Set[str] = frozenset()

    def look_at(self, found: ClusterReport) -> None:
        self.states.append(found.nodes[0].state)

    def look(self, expected: Set[str]) -> bool:
        self.expected = expected
        self.looked += 1
        return self.changes

    def ask_again(self) -> None:
        self.asked_again += 1


class Lost:
    """Passes on what it is to look at."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def look(self, found: ClusterReport) -> None:
        self._recorder.look_at(found)


class Watched:
    """The process, on a clock that a test moves on."""

    def __init__(self, world: World) -> None:
        self.world, self.seen = world, Recorder()
        self.told: list[set[str]] = []
        self._watch = NodeWatch(
            world.store,
            world.cluster,
            Lost(self.seen),
            self.seen,
            world.clock,
            tell=lambda ids: self.told.append(set(ids)),
        )

    def seconds(self, count: int) -> int:
        """So many looks; returns how often the services were looked at."""
        before = self.seen.looked
        for _ in range(count):
            self.world.clock.sleep(1)
            self._watch.look()
        return self.seen.looked - before


@pytest.fixture
def watched(dockerized: World) -> Watched:
    """A server with a node, at which was looked for a while."""
    dockerized.nodes.begin(ROOT, ADDRESS)
    dockerized.node_machines.machine(2)
    added(dockerized, 2)
    watched = Watched(dockerized)
    watched.seconds(20)
    return watched


def test_nodes_are_looked_at_each_second(watched: Watched) -> None:
    """The services of what is settled only now and then."""
    before = len(watched.seen.states)
    assert watched.seconds(20) == 4
    assert len(watched.seen.states) == before + 20


def test_what_changes_is_looked_at_each_second(watched: Watched) -> None:
    """And for a while after that."""
    watched.seen.changes = True
    watched.seconds(5)
    assert watched.seconds(10) == 10
    watched.seen.changes = False
    assert watched.seconds(30) < 15


def test_a_change_of_the_database_is_looked_at(watched: Watched) -> None:
    """A roll-out records its instances before it starts them."""
    world = watched.world
    world.app()
    web = ProcessType("web")
    on = Instance(1, 1, 1, web, 1, 5_001, address="10.0.0.2", engine=SWARM)
    here = Instance(1, 1, 2, web, 1, 5_002, engine=NATIVE)
    world.store.instances.add([on, here])
    assert watched.seconds(5) == 5
    assert watched.seen.expected == {on.id}


def test_a_node_that_is_back_is_asked_for_its_output(watched: Watched) -> None:
    """Once; what was never away is not. It is told of its peers, as it was at the beginning."""
    cluster = watched.world.cluster
    assert watched.seen.asked_again == 0
    assert watched.told == [{"id-web-2"}]
    cluster.set_ready("id-web-2", ready=False)
    watched.seconds(2)
    assert (watched.seen.states[-1], watched.seen.asked_again) == (NodeState.DOWN, 0)
    cluster.set_ready("id-web-2", ready=True)
    watched.seconds(2)
    assert watched.seen.asked_again == 1
    assert watched.told == [{"id-web-2"}] * 2
    cluster.set_availability("id-web-2", Availability.PAUSE)
    watched.seconds(2)
    assert watched.seen.asked_again == 1


def test_nothing_is_lost_while_the_manager_is_down(watched: Watched) -> None:
    """Nobody knows then what the nodes do."""
    before = len(watched.seen.states)
    watched.world.cluster.address = None
    with pytest.raises(PaasError):
        watched.seconds(1)
    assert len(watched.seen.states) == before


def test_without_a_cluster_nothing_is_asked(dockerized: World) -> None:
    """As between the end of a cluster and the end of this process."""
    watched = Watched(dockerized)
    assert watched.seconds(3) == 0
    assert watched.seen.states == []
