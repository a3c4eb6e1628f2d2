"""The watch window after a switch."""

from collections.abc import Collection
from datetime import UTC, datetime

import pytest

from paas.domain.releases.regression import Answers, Baseline, worse
from paas.domain.releases.releases import State
from paas.domain.routing.endpoints import Endpoint
from paas.domain.values.errors import PaasError
from paas.domain.values.names import VarName
from tests.fakes.runtime import Behaviour
from tests.fakes.world import ROOT, World

A, B = "a" * 40, "b" * 40
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def push_bad(world: World) -> None:
    """A first deploy on port 5000, then one that answers 5xx on 5001."""
    world.app()
    world.push()
    world.requests.note(5001, Answers(20, 15))
    world.push(commit=B)


def current(world: World) -> int | None:
    """The version that is live."""
    app = world.store.apps.find("shop")
    assert app is not None
    return app.current


def test_goes_back_from_errors(world: World) -> None:
    """As a release of its own that says why, told in the log."""
    push_bad(world)
    assert current(world) == 3
    newest = world.store.releases.of_app(1)[0]
    assert newest.description == ("Rollback to v1 (v2: 15 of 20 requests were answered with 5xx)")
    assert newest.user == "paas"
    assert newest.slug_id == world.store.releases.of_app(1)[2].slug_id
    assert any(process == "guard" for _, process, _ in world.logs.lines)


def test_nobody_waits_for_the_log_to_be_read(world: World) -> None:
    """It takes 0.1 s on a busy app; what the former release did is counted after the switch."""
    world.app()
    world.push()
    reads: list[int] = []
    world.progress.when_live = lambda: reads.append(world.requests.reads)
    world.requests.note(5000, Answers(100, 60), world.clock.now())
    world.requests.note(5001, Answers(20, 15))
    world.push(commit=B)
    assert reads == [0]
    assert world.requests.reads > 1
    assert current(world) == 2  # which does no worse than the one before it


def test_a_rollback_that_comes_too_late_brings_nothing_bad_back(world: World) -> None:
    """Without a version it is refused and told what has happened; with one it is obeyed."""
    push_bad(world)
    with pytest.raises(
        PaasError, match="rolled back automatically: v3 is Rollback to v1"
    ) as caught:
        world.releases.rollback(ROOT, "shop", None, world.progress)
    assert caught.value.reference == "rolled-back-already"
    assert current(world) == 3
    assert world.releases.rollback(ROOT, "shop", 2, world.progress) == 4


def test_the_release_phase_is_not_run_for_that(world: World) -> None:
    """It is urgent, and a migration of the older code may not know the newer schema."""
    world.repository.procfiles[A] = b"web: serve\nrelease: echo x\n"
    push_bad(world)
    assert [ran.name for ran in world.one_off.ran] == ["release.1"]


def test_a_drain_does_not_delay_it(world: World) -> None:
    """An open WebSocket keeps the former instances for half a minute, not the bad release."""
    seen = []
    world.proxy.drained = False
    original = world.proxy.drain

    def drain(limit_s: float, endpoints: Collection[Endpoint] | None = None) -> bool:
        seen.append(current(world))
        world.clock.seconds += limit_s
        return original(limit_s, endpoints)

    world.proxy.drain = drain  # type: ignore[method-assign]
    push_bad(world)
    assert current(world) == 3
    assert seen[:3] == [2, 2, 3]
    assert {i.version for i in world.store.instances.of_app(1)} == {3}


def test_goes_back_from_a_crash(world: World) -> None:
    """An instance that ended, where none of the release before did."""
    world.app()
    world.push()
    world.repository.procfiles[B] = b"web: frail\n"
    behaviours = iter([Behaviour()] * 3 + [Behaviour(State.UP, 1, "exited with status 3")] * 99)
    original = world.runtime.states

    def states(instances: list[object]) -> object:
        world.runtime.behaviours["frail"] = next(behaviours)
        return original(instances)  # type: ignore[arg-type]

    world.runtime.states = states  # type: ignore[method-assign,assignment]
    world.push(commit=B)
    assert world.store.releases.of_app(1)[0].description == (
        "Rollback to v1 (v2: web.1 exited with status 3)"
    )


def test_the_first_release_has_nothing_to_go_back_to(world: World) -> None:
    """It is not watched."""
    world.requests.note(5000, Answers(20, 20))
    world.app()
    world.push()
    assert current(world) == 1


def test_a_change_meanwhile_ends_the_watch(world: World) -> None:
    """Nobody waits for it: it holds no lock, and sees that another release is live."""
    world.app()
    world.push()
    original, calls = world.clock.sleep, iter(range(1000))

    def sleep(seconds: float) -> None:
        original(seconds)
        if seconds == 1.0 and next(calls) == 0:
            assert not world.locks.app_is_held(1)
            world.config.set(ROOT, "shop", {VarName("A"): "1"}, world.progress)
            world.requests.note(5001, Answers(20, 20))

    world.clock.sleep = sleep  # type: ignore[method-assign]
    world.push(commit=B)
    assert current(world) == 3
    assert world.store.releases.of_app(1)[0].description == "Set A"


def set_bad(world: World, *, restart: bool = True) -> list[int | None]:
    """A first deploy, then a config var with which port 5001 answers 5xx.

    Returns what was live when the waiting client got its answer.
    """
    shown_live: list[int | None] = []
    world.app()
    world.push()
    world.requests.note(5001, Answers(20, 15))
    values = {VarName("MODE"): "bad"}
    world.progress.when_live = lambda: shown_live.append(current(world))
    world.config.set(ROOT, "shop", values, world.progress, restart=restart)
    return shown_live


def test_goes_back_from_a_config_change(world: World) -> None:
    """As after a deploy; the command has already got its answer."""
    assert set_bad(world) == [2]
    assert current(world) == 3
    assert world.store.releases.of_app(1)[0].description == (
        "Rollback to v1 (v2: 15 of 20 requests were answered with 5xx)"
    )
    assert world.config.all(ROOT, "shop") == {}


def test_a_config_change_without_a_restart_is_not_watched(world: World) -> None:
    """Nothing was started with it."""
    assert set_bad(world, restart=False) == [2]
    assert current(world) == 2


def test_an_instance_that_is_stopped_by_hand_has_not_crashed(world: World) -> None:
    """ps:scale and ps:stop within the window are no reason to go back."""
    world.app()
    world.push()
    calls, original = iter(range(1000)), world.runtime.states

    def states(instances: list[object]) -> object:
        stopping = Behaviour(State.STOPPED, 1, "killed by SIGTERM")
        world.runtime.behaviours["serve"] = stopping if next(calls) > 3 else Behaviour()
        return original(instances)  # type: ignore[arg-type]

    world.runtime.states = states  # type: ignore[method-assign,assignment]
    world.push(commit=B)
    assert current(world) == 2


@pytest.mark.parametrize(
    ("old", "new", "goes"),
    [
        (Answers(), Answers(4, 4), False),
        (Answers(), Answers(5, 5), True),
        (Answers(100, 0), Answers(100, 19), False),
        (Answers(100, 0), Answers(100, 20), True),
        (Answers(100, 30), Answers(100, 55), False),
        (Answers(100, 30), Answers(100, 60), True),
        (Answers(100, 60), Answers(100, 100), False),
    ],
)
def test_well_beyond(old: Answers, new: Answers, goes: bool) -> None:
    """A fifth of all answers more, and twice as many."""
    assert (worse(Baseline(NOW, old, 0), new, None) is not None) is goes


def test_a_crash_is_no_reason_where_the_old_release_crashed_too() -> None:
    """Or a fix that is not one yet would be taken back."""
    assert worse(Baseline(NOW, Answers(), 1), Answers(), "web.1 ended") is None
