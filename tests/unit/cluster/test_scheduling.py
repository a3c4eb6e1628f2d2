"""On which machines an app runs: each change is a roll-out that may fail."""

import pytest

from paas.adapters.runtime.by_engine import RuntimeByEngine
from paas.domain.cluster.scheduling import Scheduling, parse_constraints, scheduler_name
from paas.domain.datastores.datastores import NO_NODES, NodeAccess
from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.datastores.plans import SMALL
from paas.domain.releases.artifacts import DOCKER, NATIVE, SWARM
from paas.domain.releases.releases import Instance
from paas.domain.server.allocations import Kind
from paas.domain.values.errors import PaasError
from paas.interfaces import Engine
from tests.fakes.runtime import FakeRuntime
from tests.fakes.world import ROOT, World
from tests.unit.cluster.test_nodes import ADDRESS, added

NODE = "10.0.0.2"


@pytest.fixture
def nodes(dockerized: World) -> FakeRuntime:
    """What runs on the nodes of a server, whose app "shop" was pushed and runs on the server."""
    world = dockerized
    world.nodes.begin(ROOT, ADDRESS)
    world.node_machines.machine(2)
    added(world, 2)
    on_nodes = FakeRuntime(host=NODE)
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
    world.app()
    world.push()
    return on_nodes


def instances(world: World) -> list[Instance]:
    """The live ones of "shop"."""
    app = world.store.apps.find("shop")
    assert app is not None
    return [one for one in world.store.instances.of_app(app.id) if one.is_live(app)]


def scheduling(world: World) -> Scheduling:
    """What was chosen for it."""
    return world.scheduling.report(ROOT, "shop").scheduling


def test_an_app_moves_to_the_nodes_and_back(dockerized: World, nodes: FakeRuntime) -> None:
    """What was built as processes gets an image; each instance a port that nothing else has."""
    world = dockerized
    world.scheduling.choose(ROOT, "shop", "swarm", world.progress)
    (one,) = instances(world)
    assert (one.engine, one.address, list(nodes.running)) == (SWARM, NODE, [one.id])
    assert one.port in world.store.allocations.taken(Kind.PORT)
    assert not world.runtime.running
    assert world.slug_images.made == [world.store.slugs.of_app(1)[0].id]
    assert list(world.proxy.by_app[1].endpoints) == [one.endpoint]
    assert world.scheduling.report(ROOT, "shop").places == [(one, "web-2")]

    world.push()  # the next one stays there
    (one,) = instances(world)
    assert (one.engine, list(nodes.running)) == (SWARM, [one.id])

    world.scheduling.choose(ROOT, "shop", "local", world.progress)
    (one,) = instances(world)
    assert (one.engine, list(nodes.running)) == (DOCKER, [])
    assert scheduling(world) == Scheduling()


def test_a_move_that_fails_changes_nothing(dockerized: World, nodes: FakeRuntime) -> None:
    """The slug is what it was, too: another roll-out starts processes again."""
    world = dockerized
    before = instances(world)
    nodes.failure = PaasError("no-room", "No node has room.")
    with pytest.raises(PaasError):
        world.scheduling.choose(ROOT, "shop", "swarm", world.progress)
    assert instances(world) == before
    assert list(world.runtime.running) == [before[0].id]
    assert not nodes.running
    assert scheduling(world) == Scheduling()
    assert world.store.slugs.of_app(1)[0].image is None


def test_a_release_that_has_no_image_runs_on_the_server(
    dockerized: World, nodes: FakeRuntime
) -> None:
    """A rollback works at once, and says so."""
    world = dockerized
    world.push()
    world.scheduling.choose(ROOT, "shop", "swarm", world.progress)
    world.releases.rollback(ROOT, "shop", None, world.progress)
    (one,) = instances(world)
    assert (one.engine, list(nodes.running)) == (NATIVE, [])
    assert "runs on this server" in str(world.progress.lines)


def test_storage_stays_on_the_server(dockerized: World, nodes: FakeRuntime) -> None:
    """Neither way round can an app have both."""
    world = dockerized
    world.storage.add(ROOT, "shop", "/app/data", world.progress)
    with pytest.raises(PaasError, match=r"/app/data\. Storage directories are on") as caught:
        world.scheduling.choose(ROOT, "shop", "swarm", world.progress)
    assert caught.value.reference == "storage-on-nodes"
    world.storage.remove(ROOT, "shop", "/app/data", "shop", world.progress)
    world.scheduling.choose(ROOT, "shop", "swarm", world.progress)
    with pytest.raises(PaasError, match="shop runs on nodes"):
        world.storage.add(ROOT, "shop", "/app/data", world.progress)
    assert nodes.running


def test_a_server_without_nodes(dockerized: World) -> None:
    """The message says how to get some."""
    dockerized.app()
    with pytest.raises(PaasError, match="manages no nodes") as caught:
        dockerized.scheduling.choose(ROOT, "shop", "swarm", dockerized.progress)
    assert caught.value.reference == "no-cluster"


def test_placement_is_rolled_out_where_it_counts(dockerized: World, nodes: FakeRuntime) -> None:
    """On the server it is only recorded."""
    world = dockerized
    before = instances(world)
    world.scheduling.place(ROOT, "shop", ["disk==ssd"], world.progress, spread="zone")
    assert scheduling(world) == Scheduling(False, "zone", (("disk", "ssd"),))
    assert instances(world) == before
    world.scheduling.choose(ROOT, "shop", "swarm", world.progress)
    moved = instances(world)
    world.scheduling.place(ROOT, "shop", [], world.progress, clear=True)
    assert scheduling(world) == Scheduling(on_nodes=True)
    assert instances(world) != moved
    world.processes.scale(ROOT, "shop", ["web=2"], world.progress, spread="rack")
    assert scheduling(world).spread == "rack"
    assert len(instances(world)) == len(nodes.running) == 2


@pytest.mark.parametrize("word", ["", "kubernetes", "Swarm", "swarm\n"])
def test_what_is_no_scheduler(word: str) -> None:
    """There are two."""
    with pytest.raises(PaasError):
        scheduler_name(word)


@pytest.mark.parametrize("word", ["disk", "disk=ssd", "disk!=ssd", "node.role==manager ", "a==-b"])
def test_what_is_no_constraint(word: str) -> None:
    """Only equality, and only labels."""
    with pytest.raises(PaasError):
        parse_constraints([word])


def test_constraints_as_docker_writes_them() -> None:
    """Both forms are the same."""
    assert parse_constraints(["node.labels.disk==ssd", "zone==a"]) == (
        ("disk", "ssd"),
        ("zone", "a"),
    )


def test_nodes_reach_the_postgresql_of_apps_there(dockerized: World, nodes: FakeRuntime) -> None:
    """From before the first instance starts there until the last has ended, and no other."""
    world, given = dockerized, dockerized.datastore_clients
    world.app("other")
    for name in ("shop", "other"):
        world.random_name = f"quiet-otter-{name}"
        order = (DatastoreKind.POSTGRESQL, SMALL)
        made = world.datastores.create(ROOT, name, order, None, world.progress)
        assert given.access == NO_NODES
    port = world.store.datastores.of_app(1)[0].port
    nodes.failure = PaasError("no-room", "No node has room.")
    with pytest.raises(PaasError):
        world.scheduling.choose(ROOT, "shop", "swarm", world.progress)
    assert (given.ports, given.access) == ({port}, NO_NODES)

    world.scheduling.choose(ROOT, "shop", "swarm", world.progress)
    assert given.access == NodeAccess(str(ADDRESS), (NODE,), (port,))
    assert world.datastores.info(ROOT, "shop", None, None).from_nodes
    assert not world.datastores.info(ROOT, "other", None, None).from_nodes
    world.node_machines.machine(3)
    added(world, 3)
    assert {*given.access.nodes} == {NODE, "10.0.0.3"}
    world.nodes.remove(ROOT, "web-3", world.progress, force=False)
    assert {*given.access.nodes} == {NODE}
    world.attachments.attach(ROOT, "shop", made.name, None, world.progress)
    assert given.access.ports == (port, made.port)

    world.scheduling.choose(ROOT, "shop", "local", world.progress)
    assert given.access == NO_NODES


def test_what_nodes_do_not_reach_stays_with_the_server(
    dockerized: World, nodes: FakeRuntime
) -> None:
    """An app that uses it does not move, and one on nodes does not get it."""
    world = dockerized
    order = (DatastoreKind.REDIS, SMALL)
    redis = world.datastores.create(ROOT, "shop", order, None, world.progress)
    with pytest.raises(PaasError, match="shop uses REDIS_URL") as caught:
        world.scheduling.choose(ROOT, "shop", "swarm", world.progress)
    assert caught.value.reference == "datastore-on-nodes"
    world.attachments.detach(ROOT, "shop", [redis.name], world.progress)
    world.scheduling.choose(ROOT, "shop", "swarm", world.progress)
    with pytest.raises(PaasError, match="nodes cannot reach Redis") as caught:
        world.attachments.attach(ROOT, "shop", redis.name, None, world.progress)
    assert caught.value.reference == "datastore-on-nodes"
