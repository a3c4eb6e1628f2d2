"""What runs on a node that is lost is started elsewhere: exactly that, once, whoever dies."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from typing import Any

import pytest

from paas.adapters.cluster.troubles import FileNodeTroubles
from paas.adapters.runtime.by_engine import RuntimeByEngine
from paas.domain.apps.apps import App
from paas.domain.cluster.nodes import Availability, NodeState
from paas.domain.releases.artifacts import DOCKER, NATIVE, SWARM
from paas.domain.releases.releases import Instance
from paas.domain.values.errors import PaasError
from paas.domain.values.names import ProcessType
from paas.interfaces import Engine
from paas.services.cluster.lost import LostNodes
from tests.fakes.runtime import FakeRuntime
from tests.fakes.world import ROOT, World
from tests.unit.cluster.test_nodes import ADDRESS, added, states

NO_ROOM = "web needs 512 MiB of memory, which no node has left"


class PowerCutError(BaseException):
    """The process is gone: nothing is cleaned up."""


class AtOnce(Executor):
    """Runs what it is given before it returns."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(fn(*args, **kwargs))
        return done


class Later(Executor):
    """Runs what it is given, and does not say that it has ended."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        fn(*args, **kwargs)
        return Future()


class Cluster(FakeRuntime):
    """What runs on the ready nodes of a world; each instance where the fewest of its app are."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        self.full = False
        self.troubles = FileNodeTroubles(world.settings.paths.node_troubles)
        self.lost = self.watch()

    def watch(self, pool: Executor | None = None) -> LostNodes:
        """The process `nodes`, started anew."""
        world = self.world
        return LostNodes(
            world.store, world.moves, self.troubles, world.logs, world.clock, pool or AtOnce()
        )

    def look(self) -> None:
        """One turn of it, a second later."""
        self.world.clock.sleep(1)
        self.lost.look(self.world.nodes.look(ROOT))

    def addresses(
        self, app: App, kinds: Sequence[ProcessType], keep: Sequence[Instance]
    ) -> list[str]:
        ready = [
            str(one.node.address)
            for one in self.world.nodes.look(ROOT).nodes
            if one.state is NodeState.READY
        ]
        if self.full or not ready:
            raise PaasError("no-room", f"{NO_ROOM}.")
        taken = [one.address for one in keep]
        for _ in kinds:
            taken.append(min(ready, key=taken.count))
        return taken[len(keep) :]

    def where(self, name: str = "shop") -> dict[str, str]:
        """By label, where the live instances of an app are: ``2`` for 10.0.0.2."""
        app = self.world.store.apps.find(name)
        assert app is not None
        live = [one for one in self.world.store.instances.of_app(app.id) if one.is_live(app)]
        assert {one.id for one in live} <= self.running.keys()
        assert all(one.engine == SWARM for one in live)
        return {one.label: one.address.rpartition(".")[2] for one in live}

    def said(self) -> list[str]:
        """What the apps' logs have of the process `nodes`."""
        return [
            f"{process}: {text}"
            for _, process, text in self.world.logs.lines
            if process == "nodes" or "elsewhere" in text
        ]

    def add_app(self, name: str, count: int) -> None:
        """An app on the nodes."""
        self.world.app(name)
        self.world.push(name)
        self.world.scheduling.choose(ROOT, name, "swarm", self.world.progress)
        self.world.processes.scale(ROOT, name, [f"web={count}"], self.world.progress)

    def down(self, *numbers: int, down: bool = True) -> None:
        """Nodes do not answer, or answer again."""
        for number in numbers:
            self.world.cluster.set_ready(f"id-web-{number}", ready=not down)


@pytest.fixture
def world(dockerized: World) -> World:
    """A server with three nodes."""
    dockerized.nodes.begin(ROOT, ADDRESS)
    for number in (2, 3, 4):
        dockerized.node_machines.machine(number)
        added(dockerized, number)
    return dockerized


@pytest.fixture
def cluster(world: World) -> Cluster:
    """With the app "shop", which has an instance on each of the first two."""
    on_nodes = Cluster(world)
    native = world.by_name[NATIVE]
    runtimes = {NATIVE: native.runtime, DOCKER: FakeRuntime(), SWARM: on_nodes}
    engine = Engine(
        builder=native.builder,
        runtime=RuntimeByEngine(runtimes),
        one_off=native.one_off,
        runs=native.runs,
    )
    world.by_name.update({NATIVE: engine, DOCKER: engine, SWARM: engine})
    world.ports.listening = lambda: world.runtime.all_ports() | on_nodes.all_ports()
    world.cluster.set_availability("id-web-4", Availability.PAUSE)
    on_nodes.add_app("shop", 2)
    assert on_nodes.where() == {"web.1": "2", "web.2": "3"}
    world.cluster.set_availability("id-web-4", Availability.ACTIVE)
    world.logs.lines.clear()
    return on_nodes


def test_only_what_is_lost_is_moved(world: World, cluster: Cluster) -> None:
    """The other instance keeps running, the proxy is switched, and nothing comes after that."""
    kept = next(id for id in cluster.running if id.endswith("web.2"))
    (lost,) = (one for one in world.proxy.by_app[1].endpoints if one.host == "10.0.0.2")
    cluster.down(2)
    for _ in range(3):
        cluster.look()
    assert [call for call in world.proxy.calls if "abandon" in call] == [f"abandon {lost}"]
    assert cluster.where() == {"web.1": "4", "web.2": "3"}
    assert kept in cluster.running
    assert len(cluster.running) == 2
    assert world.moves.asked == [["shop"]]
    assert {one.host for one in world.proxy.by_app[1].endpoints} == {"10.0.0.3", "10.0.0.4"}
    words = "It was on web-2, which is down, and is started elsewhere."
    assert cluster.said() == [f"web.1: {words} Its last lines may be missing here"]


def test_a_node_that_is_not_heard_of_yet_is_not_lost(world: World, cluster: Cluster) -> None:
    """As right after a start of the manager; and one that is only paused is not."""
    world.cluster.set_unknown("id-web-2")
    world.cluster.set_availability("id-web-3", Availability.PAUSE)
    cluster.look()
    assert not world.moves.asked


def test_nodes_that_boot_with_the_server_are_waited_for(world: World, cluster: Cluster) -> None:
    """Else the first one would get all; what does not come within the patience is lost."""
    world.cluster.set_unknown("id-web-2")
    world.cluster.set_unknown("id-web-3")
    cluster.look()
    world.cluster.set_unheard("id-web-2")
    world.cluster.set_unheard("id-web-3")
    for _ in range(30):
        cluster.look()
    cluster.down(3, down=False)
    for _ in range(60):
        cluster.look()
    assert not world.moves.asked
    for _ in range(60):
        cluster.look()
    assert cluster.where() == {"web.1": "4", "web.2": "3"}


def test_a_node_is_back_before_anything_is_moved(world: World, cluster: Cluster) -> None:
    """The gate finds nothing to do: what is there runs on."""
    world.moves.meanwhile = lambda: cluster.down(2, down=False)
    cluster.down(2)
    before = set(cluster.running)
    cluster.look()
    cluster.look()
    assert set(cluster.running) == before
    assert world.moves.asked == [["shop"]]


def test_it_comes_back_while_its_instances_are_started(world: World, cluster: Cluster) -> None:
    """That is no reason for a second roll-out, nor to keep the former instances."""
    world.probe.meanwhile = lambda: cluster.down(2, down=False)
    cluster.down(2)
    for _ in range(3):
        cluster.look()
    assert cluster.where() == {"web.1": "4", "web.2": "3"}
    assert len(cluster.running) == 2
    assert world.moves.asked == [["shop"]]


def test_without_room_it_is_tried_again(world: World, cluster: Cluster) -> None:
    """More and more rarely; the reason is told once, and what runs elsewhere goes on."""
    cluster.full = True
    cluster.down(2)
    for _ in range(60):
        cluster.look()
    assert cluster.where() == {"web.1": "2", "web.2": "3"}
    assert len(world.moves.asked) == 4
    reason = f"Not started elsewhere yet: {NO_ROOM}. It is tried again"
    assert [line for line in cluster.said() if "yet" in line] == [f"nodes: {reason}"]
    assert not [line for line in world.logs.lines if line[1] == "release"]
    (trouble,) = cluster.troubles.noted()
    assert trouble.words == (
        f"shop: web.1 was on web-2, which is down, and cannot be started elsewhere: {NO_ROOM}."
    )
    cluster.full = False
    for _ in range(60):
        cluster.look()
    assert cluster.where() == {"web.1": "4", "web.2": "3"}
    assert not cluster.troubles.noted()


def test_another_node_is_tried_at_once(world: World, cluster: Cluster) -> None:
    """When one becomes ready that was not, there may be room."""
    cluster.full = True
    cluster.down(2, 4)
    for _ in range(20):
        cluster.look()
    asked = len(world.moves.asked)
    cluster.full = False
    cluster.down(4, down=False)
    cluster.look()
    assert len(world.moves.asked) == asked + 1
    assert cluster.where()["web.1"] == "4"


def test_all_nodes_are_lost(world: World, cluster: Cluster) -> None:
    """It is told, nothing is tried, and when one is back it takes what the others had."""
    cluster.down(2, 3, 4)
    for _ in range(30):
        cluster.look()
    assert not world.moves.asked
    assert [line for line in cluster.said() if "yet" in line] == [
        "nodes: Not started elsewhere yet: no node is ready. It is tried again"
    ]
    cluster.down(3, down=False)
    cluster.look()
    cluster.look()
    assert cluster.where() == {"web.1": "3", "web.2": "3"}


def test_two_nodes_at_once(world: World, cluster: Cluster) -> None:
    """Each app is asked for once, with all that it lost; apps that lost nothing are not."""
    world.cluster.set_availability("id-web-2", Availability.PAUSE)
    world.cluster.set_availability("id-web-3", Availability.PAUSE)
    cluster.add_app("blog", 1)
    world.cluster.set_availability("id-web-4", Availability.ACTIVE)
    cluster.down(2, 3)
    cluster.look()
    cluster.look()
    assert cluster.where() == {"web.1": "4", "web.2": "4"}
    assert cluster.where("blog") == {"web.1": "4"}
    assert world.moves.asked == [["shop"]]


def test_a_second_node_while_the_first_is_made_good(world: World, cluster: Cluster) -> None:
    """It need not wait until the requests to what was on the first have ended."""
    cluster.lost = cluster.watch(Later())
    cluster.down(2)
    for _ in range(3):
        cluster.look()
    cluster.down(3)
    for _ in range(3):
        cluster.look()
    assert cluster.where() == {"web.1": "4", "web.2": "4"}
    assert world.moves.asked == [["shop"], ["shop"]]


def test_a_node_that_was_removed_by_force(world: World, cluster: Cluster) -> None:
    """Nobody knows its address any longer, which is told."""
    world.nodes.remove(ROOT, "web-2", world.progress, force=True)
    cluster.look()
    assert cluster.where() == {"web.1": "4", "web.2": "3"}
    assert "10.0.0.2, which is no node any longer" in cluster.said()[0]


@pytest.mark.parametrize("step", ["start", "apply", "make_current", "stop"])
def test_the_move_dies_in_the_middle(world: World, cluster: Cluster, step: str) -> None:
    """The next process has the rest done, and nothing twice."""
    owners = {"start": cluster, "apply": world.proxy, "make_current": world.store.releases}
    holders = [(cluster, "stop"), (world.store.instances, "remove"), (world.proxy, "apply")]

    def dead(*_: object, **__: object) -> None:
        raise PowerCutError

    def cut(*_: object, **__: object) -> None:
        for holder, name in holders:
            setattr(holder, name, dead)
        raise PowerCutError

    owner = owners.get(step, cluster)
    setattr(owner, step, cut)
    cluster.down(2)
    with pytest.raises(PowerCutError):
        cluster.look()
    for holder, name in [(owner, step), *holders]:
        vars(holder).pop(name, None)
    cluster.lost = cluster.watch()
    for _ in range(3):
        cluster.look()
    world.reconcile.run(world.progress)
    assert cluster.where() == {"web.1": "4", "web.2": "3"}
    assert len(cluster.running) == 2


def test_a_move_that_is_asked_for_twice(world: World, cluster: Cluster) -> None:
    """The second finds nothing to do when it has the app's lock."""
    cluster.down(2)
    assert world.moving.move(1, None, world.progress)
    running = set(cluster.running)
    assert world.moving.move(1, None, world.progress)
    assert set(cluster.running) == running
    assert cluster.where() == {"web.1": "4", "web.2": "3"}


def test_a_deploy_comes_first(world: World, cluster: Cluster) -> None:
    """It placed nothing on the lost node, so nothing is left to move."""
    world.moves.meanwhile = lambda: world.push(commit="b" * 40)
    cluster.down(2)
    cluster.look()
    cluster.look()
    app = world.store.apps.find("shop")
    assert app is not None
    assert app.current == 2
    assert set(cluster.where().values()) == {"3", "4"}
    assert {one.version for one in world.store.instances.of_app(1)} == {2}


def test_an_app_is_destroyed_meanwhile(world: World, cluster: Cluster) -> None:
    """That is no failure."""

    def destroy() -> None:
        world.apps.destroy(ROOT, "shop", "shop", world.progress)

    world.moves.meanwhile = destroy
    cluster.down(2)
    cluster.look()
    cluster.look()
    assert len(world.moves.asked) == 1


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
