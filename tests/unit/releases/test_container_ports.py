"""What listens in a container decides where its requests go, whatever PORT says."""

import re

import pytest

from paas.domain.releases.artifacts import DOCKER, Image
from paas.domain.values.errors import PaasError
from paas.interfaces import Built, Engine
from tests.fakes.buildpacks import FakeBuilder
from tests.fakes.runtime import Behaviour
from tests.fakes.world import ROOT, World

PORT, OTHER = 5_000, 3_000
ADDRESS = "10.9.0.2"


@pytest.fixture
def world(world: World) -> World:
    """A server with Docker, and an app whose image says nothing of its port."""
    builder = FakeBuilder()
    builder.built = Built("Dockerfile", {}, image=Image("sha256:" + "a" * 64, PORT))
    world.by_name[DOCKER] = Engine(
        builder=builder, runtime=world.runtime, one_off=world.one_off, runs=world.runs
    )
    world.app()
    world.image_builds.set_builder(ROOT, "shop", "dockerfile")
    world.runtime.host = ADDRESS
    world.probe.silent_ports = {PORT}
    return world


def listen(world: World, *places: tuple[str, int], word: str = "serve", commit: str = "a") -> None:
    """Have the web process of a commit listen there."""
    world.repository.procfiles[commit * 40] = f"web: {word}".encode()
    world.runtime.behaviours[word] = Behaviour(listens=frozenset(places))


def ports(world: World) -> list[int | None]:
    """Where the app's instances get their requests, by the store."""
    return [instance.port for instance in world.store.instances.of_app(1)]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "::ffff:0.0.0.0", ADDRESS])
def test_the_only_port_gets_the_requests(world: World, host: str) -> None:
    """After 8 s, as some open a second port first; it is recorded, and said."""
    listen(world, (host, OTHER), ("127.0.0.1", 9_090))
    world.push()
    assert 8.0 < world.clock.seconds < 12.0
    assert ports(world) == [OTHER]
    assert [str(end) for end in world.proxy.by_app[1].endpoints] == [f"{ADDRESS}:{OTHER}"]
    told = "web.1 listens on port 3000, not on 5000 ($PORT), and gets its requests there."
    assert told in str(world.progress.lines)
    assert "paas ports:set web=3000" in str(world.progress.lines)


def test_the_slug_knows_it(world: World) -> None:
    """More instances, and a rollback, wait for nothing: PORT names that port."""
    listen(world, ("0.0.0.0", OTHER))
    world.push()
    began = world.clock.seconds
    world.processes.scale(ROOT, "shop", ["web=2"], world.progress)
    assert world.clock.seconds - began < 1.0
    assert ports(world) == [OTHER, OTHER]
    started = world.runtime.running[world.store.instances.of_app(1)[-1].id]
    assert started.ports == (OTHER,)


def test_the_next_push_waits_only_a_second(world: World) -> None:
    """The port is known from the containers that run; of several, one line tells it."""
    listen(world, ("0.0.0.0", OTHER))
    world.push()
    world.processes.scale(ROOT, "shop", ["web=2"], world.progress)
    listen(world, ("0.0.0.0", OTHER), word="serve2", commit="b")
    world.progress.lines.clear()
    world.push(commit="b" * 40)
    after = re.search(r"web.2 answers on port 3000 after (\S+) s", str(world.progress.lines))
    assert after is not None
    assert float(after[1]) < 3.0
    assert ports(world) == [OTHER, OTHER]
    assert str(world.progress.lines).count("($PORT)") == 1


def test_port_counts_before_any_other(world: World) -> None:
    """A second port, for metrics, changes nothing."""
    world.probe.silent_ports = {OTHER}
    listen(world, ("0.0.0.0", OTHER), ("0.0.0.0", PORT))
    world.push()
    assert ports(world) == [PORT]


@pytest.mark.parametrize(
    ("places", "said"),
    [
        (
            [("127.0.0.1", OTHER)],
            "web.1 listens on 127.0.0.1:3000; in a container it must listen on 0.0.0.0:$PORT.",
        ),
        (
            [("127.0.0.1", PORT), ("::1", PORT)],
            "web.1 listens on 127.0.0.1:5000, ::1:5000; in a container it must listen on",
        ),
        (
            [("0.0.0.0", OTHER), ("0.0.0.0", 9_090)],
            "web.1 listens on 0.0.0.0:3000, 0.0.0.0:9090, but not on 0.0.0.0:5000, which $PORT",
        ),
        (
            [("0.0.0.0", port) for port in range(3_000, 3_007)],
            "0.0.0.0:3004 and 2 more, but not on 0.0.0.0:5000",
        ),
    ],
)
def test_what_cannot_be_chosen_is_rejected(
    world: World, places: list[tuple[str, int]], said: str
) -> None:
    """Loopback alone, which nobody reaches, and several ports; long before the start limit."""
    listen(world, *places)
    with pytest.raises(PaasError) as caught:
        world.push()
    assert caught.value.reference == "wrong-port"
    assert said in caught.value.report
    assert world.clock.seconds < 30.0
    assert world.store.slugs.of_app(1)[0].image == Image("sha256:" + "a" * 64, PORT)


def test_nothing_listens(world: World) -> None:
    """The message says where a container has to listen."""
    listen(world)
    with pytest.raises(PaasError) as caught:
        world.push()
    assert caught.value.reference == "port-not-opened"
    assert "it must listen on 0.0.0.0:5000 ($PORT)" in caught.value.report
