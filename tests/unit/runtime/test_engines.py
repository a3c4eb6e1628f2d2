"""Each app is built and run by its own engine."""

import sqlite3
from contextlib import closing

import pytest

from paas.domain.releases.artifacts import DOCKER, NATIVE, Image
from paas.domain.server.allocations import Kind
from paas.domain.values.errors import PaasError
from paas.interfaces import Built, Engine
from tests.fakes.buildpacks import FakeBuilder
from tests.fakes.one_off import FakeOneOff
from tests.fakes.runs import FakeRuns
from tests.fakes.runtime import FakeRuntime
from tests.fakes.world import ROOT, World

IMAGE = Image("sha256:" + "a" * 64, port=8_080)


def move(world: World, name: str, engine: str) -> None:
    """Have the store say that an app has that engine."""
    world.store.close()
    with closing(sqlite3.connect(world.store.database.path)) as connection, connection:
        connection.execute("UPDATE apps SET engine = ? WHERE name = ?", (engine, name))


@pytest.fixture
def other(world: World) -> FakeRuntime:
    """The runtime of another engine, which the app "blog" has: what it builds is an image."""
    runtime = FakeRuntime()
    builder = FakeBuilder()
    builder.built = Built("image", {}, image=IMAGE)
    world.by_name[DOCKER] = Engine(
        builder=builder, runtime=runtime, one_off=FakeOneOff(), runs=FakeRuns()
    )
    world.ports.listening = lambda: world.runtime.all_ports() | runtime.all_ports()
    world.app("shop")
    world.app("blog")
    world.image_builds.set_builder(ROOT, "blog", "dockerfile")
    move(world, "blog", DOCKER)
    return runtime


def test_an_app_has_the_native_engine(world: World) -> None:
    """That is the only one of this version."""
    app = world.app()
    assert app.engine == NATIVE
    stored = world.store.apps.by_id(app.id)
    assert stored == app
    assert world.engines.of(app).runtime is world.runtime


def test_each_app_runs_on_its_own_engine(world: World, other: FakeRuntime) -> None:
    """A deploy, a list, a repair and the removal of one leave the other's engine alone."""
    for name in ("shop", "blog"):
        world.push(name)
    assert list(world.runtime.running) == ["1-v1-1-web.1"]
    assert list(other.running) == ["2-v1-2-web.1"]
    assert [row.state.state.value for row in world.processes.listing(ROOT, "blog")] == ["up"]
    other.lose_all()
    world.reconcile.run(world.progress)
    assert list(other.running) == ["2-v1-2-web.1"]
    assert world.doctor.look() == []
    world.apps.destroy(ROOT, "blog", "blog", world.progress)
    assert (list(world.runtime.running), list(other.running)) == (["1-v1-1-web.1"], [])


def test_instances_of_an_image_share_a_port(world: World, other: FakeRuntime) -> None:
    """Each container has an address, and with it all ports; the image says which one it opens."""
    other.host = "10.9.0.2"
    world.push("blog")
    world.processes.scale(ROOT, "blog", ["web=2"], world.progress)
    slug = world.store.slugs.of_app(2)[0]
    assert slug.image == IMAGE
    instances = world.store.instances.of_app(2)
    assert [(i.engine, i.address, i.port) for i in instances] == [(DOCKER, "10.9.0.2", 8_080)] * 2
    started = other.running[instances[0].id]
    assert started.artifact is not None
    assert started.artifact.image == IMAGE
    assert started.engine == DOCKER
    world.store.allocations.settle()
    assert world.store.allocations.taken(Kind.PORT) == {
        own.number for own in world.settings.ranges.reserved if own.kind is Kind.PORT
    }


def test_the_engine_of_an_app_is_that_of_its_release(world: World, other: FakeRuntime) -> None:
    """A release of the other kind moves the app, once it is live, and takes its runtime along."""
    world.push("blog")
    assert list(other.running) == ["2-v1-1-web.1"]
    world.image_builds.set_builder(ROOT, "blog", "buildpacks")
    world.push("blog")
    app = world.store.apps.by_id(2)
    assert app is not None
    assert app.engine == NATIVE


def test_a_boot_asks_no_engine_before_the_supervisor(world: World, other: FakeRuntime) -> None:
    """Docker's does not run yet: the boot would wait for it. Reconciling starts the containers."""
    world.push("blog")
    other.lose_all()
    other.files.clear()
    world.reconcile.prepare_start()
    assert other.files == {}


def test_what_nobody_knows_is_found_on_each_engine(world: World, other: FakeRuntime) -> None:
    """And ended there, whichever engine it is."""
    world.push("blog")
    former = world.store.instances.of_app(2)
    world.store.instances.remove(former)
    assert world.engines.groups() == {former[0].group}
    world.reconcile.run(world.progress)
    assert f"remove {former[0].group}" in other.calls
    assert former[0].id not in other.running


def test_an_unknown_engine_is_refused(world: World) -> None:
    """Nothing is built or started in its place; other apps are not concerned."""
    for name in ("shop", "blog"):
        world.app(name)
    move(world, "blog", "docker")
    with pytest.raises(PaasError) as caught:
        world.push("blog")
    assert caught.value.reference == "no-such-engine"
    assert "blog runs on the engine 'docker'" in caught.value.message
    assert "it has native" in caught.value.message
    world.push("shop")
    assert list(world.runtime.running) == ["1-v1-1-web.1"]
    with pytest.raises(PaasError, match="Not repaired, for the reasons above: blog"):
        world.reconcile.run(world.progress)
