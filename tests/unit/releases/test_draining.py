"""The end of replaced instances: nobody waits for it, and it comes whoever dies on the way."""

import time
from collections.abc import Callable, Sequence

import pytest

from paas.domain.runtime.workloads import Supervised
from paas.domain.values.errors import PaasError
from paas.domain.values.names import VarName
from tests.fakes.output import FakeClock
from tests.fakes.runtime import FakeRuntime
from tests.fakes.world import ROOT, World

HOST = "shop.example.com"
CHANGES: dict[str, Callable[[World], object]] = {
    "push": lambda w: w.push(commit="b" * 40),
    "config:set": lambda w: w.config.set(ROOT, "shop", {VarName("A"): "1"}, w.progress),
    "ps:restart": lambda w: w.processes.restart(ROOT, "shop", [], w.progress),
    "ps:scale": lambda w: w.processes.scale(ROOT, "shop", ["web=0"], w.progress),
    "ps:stop": lambda w: w.processes.stop(ROOT, "shop", ["web"], w.progress),
    "rollback": lambda w: w.releases.rollback(ROOT, "shop", 1, w.progress),
    "storage:add": lambda w: w.storage.add(ROOT, "shop", "/app/data", w.progress),
}


class PowerCutError(BaseException):
    """The process is gone: nothing is cleaned up."""


@pytest.fixture
def shop(world: World) -> World:
    """An app at its second release."""
    world.app()
    world.push()
    world.push(commit="b" * 40)
    world.runtime.calls.clear()
    world.proxy.calls.clear()
    return world


def running(world: World) -> set[str]:
    return {started.id for started in world.runtime.running.values()}


@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
def test_nobody_waits_for_a_drain(shop: World, change: Callable[[World], object]) -> None:
    """The app's lock is free; the former instances still run, marked; then they are stopped."""
    seen = []

    def look() -> None:
        seen.append((shop.locks.app_is_held(1), shop.locks.is_draining(1), running(shop)))

    shop.proxy.draining = look
    change(shop)
    ((held, marked, there),) = seen
    assert not held
    assert marked
    assert "1-v2-2-web.1" in there
    assert "1-v2-2-web.1" not in running(shop)
    assert not shop.locks.is_draining(1)
    assert {i.id for i in shop.store.instances.of_app(1)} == running(shop)


def test_only_who_is_with_those_that_go_is_waited_for(shop: World) -> None:
    """The proxy is asked of the endpoints of the former instances, and of no others."""
    (former,) = (i.endpoint for i in shop.store.instances.of_app(1))
    shop.push(commit="c" * 40)
    assert shop.proxy.drained_at == [former]
    assert shop.runtime.shut_ids[-1:] == ["1-v2-2-web.1"]


def test_who_is_with_a_former_instance_at_the_limit_is_not_shut_out(shop: World) -> None:
    """Nothing is refused that a former worker of the proxy might still have to send."""
    shop.proxy.drained = False
    shop.push(commit="c" * 40)
    assert "1-v2-2-web.1" not in shop.runtime.shut_ids


def test_what_gets_no_requests_is_not_drained(world: World) -> None:
    """A worker is stopped at once, whatever others' visitors do."""
    world.repository.procfiles["a" * 40] = b"web: serve\nworker: work\n"
    world.app()
    world.push()
    world.processes.scale(ROOT, "shop", ["worker=1"], world.progress)
    world.proxy.calls.clear()
    world.processes.stop(ROOT, "shop", ["worker"], world.progress)
    assert "drain" not in world.proxy.calls
    assert {i.label for i in world.store.instances.of_app(1)} == {"web.1"}


def test_a_worker_does_not_wait_for_the_web_s_drain(world: World) -> None:
    """Stopping it while the last requests are answered records everything as before."""
    world.repository.procfiles["a" * 40] = b"web: serve\nworker: work\n"
    world.app()
    world.push()
    world.processes.scale(ROOT, "shop", ["worker=1"], world.progress)
    world.runtime.calls.clear()
    seen: list[str] = []

    def meanwhile() -> None:
        deadline = time.monotonic() + 200
        while not any(call.endswith("worker.1") for call in world.runtime.calls):
            if time.monotonic() > deadline:
                break
            time.sleep(0.01)
        seen.extend(call for call in world.runtime.calls if call.startswith("stop"))

    world.proxy.draining = meanwhile
    world.processes.restart(ROOT, "shop", [], world.progress)
    assert [call.rpartition("-")[2] for call in seen] == ["worker.1"]
    stopped = [name for _, name, text in world.logs.lines if text.startswith("Stopped")]
    assert sorted(stopped) == ["web.1", "worker.1"]
    assert {i.id for i in world.store.instances.of_app(1)} == running(world)


def test_a_worker_that_does_not_end_keeps_no_web_instance(world: World) -> None:
    """What fails is reported, and the rest is stopped all the same."""
    world.repository.procfiles["a" * 40] = b"web: serve\nworker: work\n"
    world.app()
    world.push()
    world.processes.scale(ROOT, "shop", ["worker=1"], world.progress)
    stop = world.runtime.stop

    def fail(supervised: Sequence[Supervised], limit_s: float) -> set[str]:
        if any(one.label == "worker.1" for one in supervised):
            raise PaasError("not-stopped", "It hangs.")
        return stop(supervised, limit_s)

    world.runtime.stop = fail  # type: ignore[method-assign]
    world.processes.restart(ROOT, "shop", [], world.progress)
    app = world.store.apps.by_id(1)
    assert app is not None
    former = {i.label for i in world.store.instances.of_app(1) if not i.is_live(app)}
    assert former == {"worker.1"}
    assert any(
        "Old instances are still running: It hangs." in text for _, _, text in world.logs.lines
    )


def test_what_fails_after_the_switch_keeps_nothing_running(shop: World) -> None:
    """The new version is live: a caller who is gone must not leave the former one there."""

    def gone() -> None:
        raise BrokenPipeError

    shop.progress.when_live = gone
    with pytest.raises(BrokenPipeError):
        shop.releases.rollback(ROOT, "shop", 1, shop.progress)
    assert running(shop) == {"1-v3-3-web.1"}


@pytest.mark.parametrize("word", ["scale", "stop"])
def test_what_is_left_out_gets_no_requests_again(shop: World, word: str) -> None:
    """Whatever changes the app's site while it is drained."""
    shop.processes.scale(ROOT, "shop", ["web=2"], shop.progress)
    first, second = (i for i in shop.store.instances.of_app(1) if i.port is not None)
    seen = []

    def meanwhile() -> None:
        shop.maintenance.set_maintenance(ROOT, "shop", True, shop.progress)
        shop.maintenance.set_maintenance(ROOT, "shop", False, shop.progress)
        listed = [row.instance for row in shop.processes.listing(ROOT, "shop")]
        seen.append((shop.proxy.ports(HOST), [i.label for i in listed if i.rollout_id]))

    shop.proxy.draining = meanwhile
    if word == "scale":
        shop.processes.scale(ROOT, "shop", ["web=1"], shop.progress)
    else:
        shop.processes.stop(ROOT, "shop", ["web.2"], shop.progress)
    assert seen == [((first.port,), ["web.1"])]
    assert second.id not in running(shop)


def test_three_roll_outs_at_once(shop: World) -> None:
    """A push overtakes a drain, which ends after it: each instance is stopped once, and told."""
    seen = []

    def overtake() -> None:
        shop.proxy.draining = lambda: seen.append(running(shop))
        shop.push(commit="d" * 40)

    shop.proxy.draining = overtake
    shop.push(commit="c" * 40)
    assert seen == [{"1-v2-2-web.1", "1-v3-3-web.1", "1-v4-4-web.1"}]
    assert running(shop) == {"1-v4-4-web.1"}
    assert shop.proxy.ports(HOST) == (shop.store.instances.of_app(1)[0].port,)
    assert sorted(c for c in shop.runtime.calls if c.startswith("stop")) == [
        "stop 1-v2-2-web.1",
        "stop 1-v3-3-web.1",
    ]
    assert [text for _, _, text in shop.logs.lines].count("Stopped (v2)") == 1


def test_a_fourth_waits_for_the_first(shop: World) -> None:
    """Each takes memory; it is started when the oldest has ended."""

    class Clock(FakeClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            waited.append(running(shop))
            oldest = [i for i in shop.store.instances.of_app(1) if i.rollout_id == 2]
            shop.runtime.stop(oldest, 0.0)
            shop.store.instances.remove(oldest)

    waited: list[set[str]] = []

    def push_again() -> None:
        shop.proxy.draining = push_last
        shop.push(commit="d" * 40)

    def push_last() -> None:
        object.__setattr__(shop.draining, "clock", Clock())
        shop.push(commit="e" * 40)
        object.__setattr__(shop.draining, "clock", shop.clock)

    shop.proxy.draining = push_again
    shop.push(commit="c" * 40)
    assert waited == [{"1-v2-2-web.1", "1-v3-3-web.1", "1-v4-4-web.1"}]
    assert running(shop) == {"1-v5-5-web.1"}
    assert "waiting for the last requests to former instances" in shop.progress.done


def test_where_nothing_is_live_there_is_room_for_two_former_ones(shop: World) -> None:
    """Visitors wait: an app that was scaled to nothing comes back at once."""
    seconds = []

    def scale(quantity: str) -> None:
        shop.processes.scale(ROOT, "shop", [f"web={quantity}"], shop.progress)

    def scale_down() -> None:
        shop.proxy.draining = scale_up
        scale("0")

    def scale_up() -> None:
        before = shop.clock.seconds
        scale("1")
        seconds.append(shop.clock.seconds - before)

    shop.proxy.draining = scale_down
    shop.push(commit="c" * 40)
    assert seconds[0] < 1
    assert running(shop) == {"1-v3-4-web.1"}


def die(shop: World) -> None:
    """Deploy, and be killed while the former instances are drained."""

    def cut() -> None:
        raise PowerCutError

    shop.proxy.draining = cut
    with pytest.raises(PowerCutError):
        shop.push(commit="c" * 40)
    assert running(shop) == {"1-v2-2-web.1", "1-v3-3-web.1"}


def test_what_a_killed_process_left_is_ended_by_reconcile(shop: World) -> None:
    """But not what a living one handles."""
    die(shop)
    with shop.locks.draining(1):
        assert shop.reconcile.run(shop.progress) == 0
        assert len(running(shop)) == 2
    assert shop.reconcile.run(shop.progress) == 1
    assert running(shop) == {"1-v3-3-web.1"}


def test_what_a_killed_process_left_is_ended_by_the_next_roll_out(shop: World) -> None:
    """It waits for nobody."""
    die(shop)
    die_again = shop.clock.seconds
    shop.processes.restart(ROOT, "shop", [], shop.progress)
    assert shop.clock.seconds - die_again < 1
    assert running(shop) == {"1-v3-4-web.1"}


def test_what_a_killed_process_left_beside_a_living_one_is_ended_by_that(shop: World) -> None:
    """Reconcile left it alone, for the living one's sake."""

    def overtake() -> None:
        shop.proxy.draining = cut
        with pytest.raises(PowerCutError):
            shop.push(commit="d" * 40)
        assert shop.reconcile.run(shop.progress) == 0

    def cut() -> None:
        raise PowerCutError

    shop.proxy.draining = overtake
    shop.push(commit="c" * 40)
    assert running(shop) == {"1-v4-4-web.1"}
    assert {i.id for i in shop.store.instances.of_app(1)} == running(shop)


def test_what_a_killed_process_left_is_ended_by_a_roll_out_that_fails(shop: World) -> None:
    """There need not be a better one soon."""
    die(shop)
    with pytest.raises(PaasError):
        shop.processes.scale(ROOT, "shop", ["worker=x"], shop.progress)
    assert running(shop) == {"1-v3-3-web.1"}


def test_an_app_that_is_destroyed_meanwhile_is_not_written_of(shop: World) -> None:
    """Its instances are ended with it, and nothing of it comes back."""

    def destroy() -> None:
        shop.apps.destroy(ROOT, "shop", "shop", shop.progress)
        shop.logs.lines.clear()

    shop.proxy.draining = destroy
    shop.push(commit="c" * 40)
    assert running(shop) == set()
    assert shop.logs.lines == []


def test_a_slug_that_is_still_run_is_kept(shop: World) -> None:
    """A later deploy removes it."""

    def kept() -> str:
        shop.pruning.prune(1)
        return "".join(sorted(slug.commit[0] for slug in shop.store.slugs.of_app(1)))

    seen = []

    def overtake() -> None:
        shop.proxy.draining = lambda: seen.append(kept())
        shop.push(commit="d" * 40)

    shop.proxy.draining = overtake
    shop.push(commit="c" * 40)
    assert seen == ["bcd"]
    assert kept() == "cd"


def test_storage_is_deleted_when_nobody_writes_there(shop: World) -> None:
    """After the last instance that has it."""
    shop.storage.add(ROOT, "shop", "/app/data", shop.progress)
    seen = []
    stop = FakeRuntime.stop

    def look(*args: object) -> set[str]:
        seen.append(shop.storage_files.all(1))
        return stop(shop.runtime, *args)  # type: ignore[arg-type]

    shop.runtime.stop = look  # type: ignore[method-assign, assignment]
    shop.storage.remove(ROOT, "shop", "/app/data", "shop", shop.progress)
    assert seen == [[1]]
    assert shop.storage_files.all(1) == []


def test_ps_wait_waits_for_it_too(shop: World) -> None:
    """Whoever scripts it finds the app as it will be."""

    class Clock(FakeClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            shop.locks.marked[1] = 0

    object.__setattr__(shop.draining, "clock", Clock())
    shop.locks.marked[1] = 1
    assert shop.processes.wait(ROOT, "shop", shop.progress) == 2
    assert "waiting for the end of former instances" in shop.progress.done
