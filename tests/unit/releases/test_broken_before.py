"""Changes of an app of which a process type crashes already."""

import pytest

from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.datastores.plans import SMALL
from paas.domain.releases.releases import State
from paas.domain.values.errors import PaasError
from paas.domain.values.names import VarName
from tests.fakes.runtime import Behaviour
from tests.fakes.world import ROOT, World

A, B = "a" * 40, "b" * 40
STALE = VarName("REDIS_URL")
CRASHED = Behaviour(State.CRASHED, 3, "exited with status 1")


@pytest.fixture
def shop(world: World) -> World:
    """Its worker crashes since the Redis of its URL is gone; its web serves."""
    world.app()
    world.config.set(ROOT, "shop", {STALE: "redis://gone"}, world.progress)
    world.repository.procfiles[A] = b"web: serve\nworker: work\n"
    world.push()
    world.processes.scale(ROOT, "shop", ["worker=1"], world.progress)
    world.runtime.behaviours["work"] = CRASHED
    world.progress.lines.clear()
    world.logs.lines.clear()
    return world


def version(world: World) -> int | None:
    """The one that is live."""
    app = world.store.apps.find("shop")
    assert app is not None
    return app.current


def test_a_config_var_is_removed(shop: World) -> None:
    """The worker still crashes without it, and that is told; web is as healthy as ever."""
    assert shop.config.unset(ROOT, "shop", [STALE], shop.progress) == 3
    assert version(shop) == 3
    assert shop.config.all(ROOT, "shop") == {}
    told = "\n".join(shop.progress.lines)
    assert "worker.1 exited with status 1 before it had settled." in told
    assert "since worker crashed before it, too" in told
    up = [process for _, process, text in shop.logs.lines if text == "State changed to up (v3)"]
    assert up == ["web.1"]
    assert {i.version for i in shop.store.instances.of_app(1)} == {3}


def test_one_that_is_about_to_crash_again(shop: World) -> None:
    """Between two waits it runs for a moment; it ends once more while the change is made."""
    ends = iter(range(1, 1000))
    original = shop.runtime.states

    def states(instances: list[object]) -> object:
        shop.runtime.behaviours["work"] = Behaviour(State.UP, next(ends), "exited with status 1")
        return original(instances)  # type: ignore[arg-type]

    shop.runtime.states = states  # type: ignore[method-assign,assignment]
    shop.config.unset(ROOT, "shop", [STALE], shop.progress)
    assert version(shop) == 3


def test_a_datastore_is_attached_and_detached(shop: World) -> None:
    """It is what the worker may wait for, or not need any longer."""
    shop.datastores.create(ROOT, "shop", (DatastoreKind.REDIS, SMALL), None, shop.progress)
    (made,) = [one.name for one in shop.store.datastores.attachments()]
    shop.attachments.detach(ROOT, "shop", [made], shop.progress)
    assert shop.store.datastores.attachments() == []
    assert version(shop) == 4


def test_what_works_must_go_on(shop: World) -> None:
    """A change that breaks web is refused, although worker is excused."""
    shop.runtime.break_new("serve", CRASHED)
    with pytest.raises(PaasError, match=r"web\.1 exited with status 1"):
        shop.config.unset(ROOT, "shop", [STALE], shop.progress)
    assert version(shop) == 2


def test_a_crash_of_one_instance_excuses_nothing(shop: World) -> None:
    """Of two workers, one runs: with the change none would."""
    shop.runtime.behaviours["work"] = Behaviour()
    shop.processes.scale(ROOT, "shop", ["worker=2"], shop.progress)
    (first,) = [one for one in shop.runtime.running if one.endswith("worker.1")]
    shop.runtime.break_new("work", CRASHED)
    shop.runtime.behaviours[first] = CRASHED
    with pytest.raises(PaasError, match=r"worker\.\d exited with status 1"):
        shop.config.unset(ROOT, "shop", [STALE], shop.progress)


def test_web_that_opens_no_port(shop: World) -> None:
    """Where web crashes, requests fail anyway: a change is accepted when its time is over."""
    shop.runtime.behaviours["serve"] = CRASHED
    shop.runtime.break_new("serve", Behaviour(listens=frozenset()))
    shop.probe.silent = True
    shop.config.unset(ROOT, "shop", [STALE], shop.progress)
    assert version(shop) == 3


def test_a_push_is_refused(shop: World) -> None:
    """It goes live as a whole or not at all."""
    shop.repository.procfiles[B] = shop.repository.procfiles[A]
    with pytest.raises(PaasError, match=r"worker\.1 exited with status 1"):
        shop.push(commit=B)
    assert version(shop) == 2
