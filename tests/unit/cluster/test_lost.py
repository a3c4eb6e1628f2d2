"""What runs on a node that is lost is started elsewhere: exactly that, once, whoever dies."""

import pytest

from paas.domain.cluster.nodes import Availability
from paas.domain.releases.releases import State
from paas.domain.values.errors import PaasError
from tests.fakes.runtime import Behaviour
from tests.fakes.world import ROOT, World
from tests.unit.cluster.on_nodes import NO_ROOM, Cluster, Later, shop_on_nodes, with_three_nodes


class PowerCutError(BaseException):
    """The process is gone: nothing is cleaned up."""


@pytest.fixture
def world(dockerized: World) -> World:
    """A server with three nodes."""
    return with_three_nodes(dockerized)


@pytest.fixture
def cluster(world: World) -> Cluster:
    """See `shop_on_nodes`."""
    return shop_on_nodes(world)


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
    """More and more rarely; the reason is reported once, and what runs elsewhere goes on."""
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
    """It is reported, nothing is tried, and when one is back it takes what the others had."""
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
    """Nobody knows its address any longer, which is reported."""
    world.nodes.remove(ROOT, "web-2", world.progress, force=True)
    cluster.look()
    assert cluster.where() == {"web.1": "4", "web.2": "3"}
    assert "10.0.0.2, which is no longer a node" in cluster.said()[0]


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


def test_a_boot_of_the_server_leaves_what_runs_on_nodes(world: World, cluster: Cluster) -> None:
    """Reconciling starts and stops nothing there; the proxy has their addresses again."""
    before, ports = dict(cluster.running), world.proxy.ports("shop.example.com")
    world.runtime.running.clear()
    cluster.calls.clear()
    world.reconcile.prepare()
    assert world.reconcile.run(world.progress) == 0
    assert (cluster.running, cluster.calls) == (before, [])
    assert world.proxy.ports("shop.example.com") == ports
    assert not world.parallel_roll_outs.asked


def test_reconciling_leaves_lost_instances_to_the_process(world: World, cluster: Cluster) -> None:
    """Swarm has their services still; so there is one roll-out, and only of what is lost."""
    cluster.down(2)
    assert world.reconcile.run(world.progress) == 0
    assert not world.parallel_roll_outs.asked
    cluster.look()
    cluster.look()
    assert cluster.where() == {"web.1": "4", "web.2": "3"}
    assert world.reconcile.run(world.progress) == 0


def test_the_last_words_of_an_instance_on_a_node_are_waited_for(
    world: World, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They take longer than those of the server, and the log says where they begin."""
    ended = Behaviour(State.CRASHED, exits=1, exit_reason="exited with status 1", exit_status=1)
    cluster.behaviours = {one.argv[-1]: ended for one in cluster.running.values()}
    began = world.clock.seconds

    def tail(*_: object, **__: object) -> list[str]:
        return ["broken"] if world.clock.seconds > began + 5 else []

    monkeypatch.setattr(world.logs, "instance_tail", tail)
    with pytest.raises(PaasError) as caught:
        world.processes.restart(ROOT, "shop", ["web.1"], world.progress)
    assert caught.value.context == ("broken",)
    assert (1, "web.1", "State changed from down to starting") in world.logs.lines
