"""Apps on the nodes of a server, in memory, and what watches the nodes."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from typing import Any

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
from tests.unit.cluster.test_nodes import ADDRESS, added

NO_ROOM = "web needs 512 MiB of memory, which no node has left"


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
        """The process `nodes`, started again."""
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


def with_three_nodes(world: World) -> World:
    """A server with Docker and web-2, web-3 and web-4."""
    world.nodes.begin(ROOT, ADDRESS)
    for number in (2, 3, 4):
        world.node_machines.machine(number)
        added(world, number)
    return world


def shop_on_nodes(world: World) -> Cluster:
    """With the app "shop", which has an instance on each of the first two of three nodes."""
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
