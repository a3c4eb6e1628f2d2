"""Each app is built and run by its own engine."""

import sqlite3
from contextlib import closing

import pytest

from paas.domain.apps.apps import NATIVE
from paas.domain.values.errors import PaasError
from paas.interfaces import Engine
from tests.fakes.buildpacks import FakeBuilder
from tests.fakes.one_off import FakeOneOff
from tests.fakes.runs import FakeRuns
from tests.fakes.runtime import FakeRuntime
from tests.fakes.world import ROOT, World


def move(world: World, name: str, engine: str) -> None:
    """Have the store say that an app has that engine."""
    world.store.close()
    with closing(sqlite3.connect(world.store.database.path)) as connection, connection:
        connection.execute("UPDATE apps SET engine = ? WHERE name = ?", (engine, name))


@pytest.fixture
def other(world: World) -> FakeRuntime:
    """The runtime of another engine, which the app "blog" has."""
    runtime = FakeRuntime()
    world.by_name["other"] = Engine(
        builder=FakeBuilder(), runtime=runtime, one_off=FakeOneOff(), runs=FakeRuns()
    )
    world.ports.listening = lambda: world.runtime.all_ports() | runtime.all_ports()
    world.app("shop")
    world.app("blog")
    move(world, "blog", "other")
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
