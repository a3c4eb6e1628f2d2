"""Restarting, stopping and starting a part of an app's instances."""

from collections.abc import Callable

import pytest

from paas.domain.releases.formation import parse_scale
from paas.domain.releases.releases import State
from paas.domain.releases.stopping import after_start, after_stop, instance_names, named
from paas.domain.values.errors import PaasError
from paas.domain.values.names import ProcessType
from tests.fakes.runtime import Behaviour
from tests.fakes.world import ROOT, World

WEB, WORKER = ProcessType("web"), ProcessType("worker")
HOST = "shop.example.com"


@pytest.fixture
def shop(world: World) -> World:
    """An app with web.1, web.2 and worker.1."""
    world.repository.procfiles["a" * 40] = b"web: serve\nworker: work\n"
    world.app()
    world.push()
    world.processes.scale(ROOT, "shop", ["web=2", "worker=1"], world.progress)
    world.progress.lines.clear()
    return world


def rollout_ids(world: World) -> dict[str, int]:
    """The live instances and the roll-out that started each."""
    live = world.processes.listing(ROOT, "shop")
    return {r.instance.label: r.instance.rollout_id for r in live if r.instance.rollout_id}


def restart(world: World, *words: str) -> None:
    world.processes.restart(ROOT, "shop", words, world.progress)


def start(world: World, *words: str) -> None:
    world.processes.start(ROOT, "shop", words, world.progress)


def stop(world: World, *words: str) -> None:
    world.processes.stop(ROOT, "shop", words, world.progress)


@pytest.mark.parametrize(
    ("word", "count"),
    [("web=0", 0), ("web=007", 7), ("web+1", 3), ("web-2", 0), ("web=100", 100)],
)
def test_words_of_scale(word: str, count: int) -> None:
    """A number, or a difference to the present one."""
    assert parse_scale(word, {WEB: 2}) == (WEB, count)


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("web", "not of the form"),
        ("web=", "not of the form"),
        ("web=1-2", "not of the form"),
        ("web+-1", "not of the form"),
        ("=1", "not of the form"),
        ("web=\u0661", "not of the form"),
        ("web=" + "9" * 5000, "not of the form"),
        ("web=-1", "0 to 100, not -1"),
        ("web-3", "0 to 100, not -1"),
        ("web=1000000000", "0 to 100, not 1000000000"),
        ("webb=1", "no process type 'webb'"),
        ("web--1", "no process type 'web-'"),
    ],
)
def test_bad_words_of_scale(word: str, told: str) -> None:
    """Each gets a message with its mistake."""
    with pytest.raises(PaasError, match=told):
        parse_scale(word, {WEB: 2})


def test_one_instance_is_restarted(shop: World) -> None:
    """web.1 is new, the others are as they were; both web instances are routed to throughout."""
    before = rollout_ids(shop)
    restart(shop, "web.1")
    after = rollout_ids(shop)
    assert [label for label in after if after[label] != before[label]] == ["web.1"]
    assert len(shop.proxy.ports(HOST) or ()) == 2
    assert len(shop.runtime.running) == 3


def test_the_log_says_that_an_instance_had_to_be_killed(shop: World) -> None:
    """In Heroku's words, with the setting; of the others that they were stopped."""
    shop.runtime.behaviours["work"] = Behaviour(ignores_term=True)
    shop.logs.lines.clear()
    stop(shop)
    assert {line[1]: line[2] for line in shop.logs.lines} == {
        "web.1": "Stopped (v1)",
        "web.2": "Stopped (v1)",
        "worker.1": "Stopped (v1), killed: Error R12 (Exit timeout), it did not end within 30 s "
        "of SIGTERM (setting stop_limit_s)",
    }


def test_a_type_is_restarted_and_then_all(shop: World) -> None:
    """Two roll-outs in one app; a full one afterwards leaves nothing of either."""
    before = rollout_ids(shop)
    restart(shop, "web")
    assert rollout_ids(shop)["worker.1"] == before["worker.1"]
    restart(shop)
    assert len(set(rollout_ids(shop).values())) == 1
    assert len(shop.store.instances.all()) == len(shop.runtime.running) == 3


def test_a_failed_restart_of_one_changes_nothing(shop: World) -> None:
    """The new one does not come up: the old ones serve on."""
    before = (rollout_ids(shop), shop.proxy.ports(HOST))
    shop.runtime.behaviours["serve"] = Behaviour(State.CRASHED, 1, "exited with status 1")
    with pytest.raises(PaasError):
        restart(shop, "web.2")
    assert (rollout_ids(shop), shop.proxy.ports(HOST)) == before


def test_what_is_stopped_stays_stopped(shop: World) -> None:
    """Over a deploy, a restart and a reconciliation, until it is started; the others run on."""
    before = rollout_ids(shop)
    stop(shop, "web.2", "worker")
    assert rollout_ids(shop) == {"web.1": before["web.1"]}
    states = {r.instance.label: r.state.state for r in shop.processes.listing(ROOT, "shop")}
    assert states["web.2"] is states["worker.1"] is State.STOPPED
    shop.repository.procfiles["b" * 40] = b"web: serve\nworker: work\n"
    shop.push(commit="b" * 40)
    assert any("Stopped by hand" in line and "worker.1" in line for line in shop.progress.lines)
    restart(shop)
    shop.reconcile.run(shop.progress)
    assert set(rollout_ids(shop)) == {"web.1"}
    web = rollout_ids(shop)["web.1"]
    start(shop, "worker")
    assert rollout_ids(shop)["web.1"] == web
    assert set(rollout_ids(shop)) == {"web.1", "worker.1"}
    start(shop)
    assert set(rollout_ids(shop)) == {"web.1", "web.2", "worker.1"}
    assert shop.store.stopped.of_app(1) == frozenset()


def test_all_is_stopped(shop: World) -> None:
    """Nothing runs or is routed to, also after a reconciliation; a start brings back all."""
    stop(shop)
    assert shop.runtime.running == {}
    assert shop.proxy.ports(HOST) == ()
    shop.reconcile.run(shop.progress)
    assert shop.runtime.running == {}
    start(shop)
    assert len(shop.proxy.ports(HOST) or ()) == 2


def scale(world: World, *words: str) -> None:
    world.processes.scale(ROOT, "shop", words, world.progress)


def test_scaling_up_starts_only_what_is_new(shop: World) -> None:
    """The others stay as they are, behind the proxy and besides it."""
    before, ports = rollout_ids(shop), shop.proxy.ports(HOST) or ()
    shop.runtime.calls.clear()
    scale(shop, "web=3", "worker+1")
    after = rollout_ids(shop)
    assert {label: after[label] for label in before} == before
    assert set(after) - set(before) == {"web.3", "worker.2"}
    assert set(ports) < set(shop.proxy.ports(HOST) or ())
    assert [call for call in shop.runtime.calls if call.startswith("stop")] == []
    assert len(shop.store.instances.all()) == len(shop.runtime.running) == 5


def test_scaling_down_drains_and_stops_only_what_is_too_much(shop: World) -> None:
    """Nothing is started; a full roll-out afterwards leaves nothing behind."""
    before = rollout_ids(shop)
    shop.runtime.calls.clear()
    shop.proxy.calls.clear()
    scale(shop, "web=1", "worker=0")
    assert rollout_ids(shop) == {"web.1": before["web.1"]}
    assert len(shop.proxy.ports(HOST) or ()) == 1
    assert [call.split()[0] for call in shop.proxy.calls] == ["apply", "drain", "drain"]
    assert {call.split()[0] for call in shop.runtime.calls} == {"stop"}
    restart(shop)
    assert len(shop.store.instances.all()) == len(shop.runtime.running) == 1


def test_scaling_one_up_and_another_down(shop: World) -> None:
    """In one roll-out, to nothing and back."""
    scale(shop, "web=0", "worker=2")
    assert set(rollout_ids(shop)) == {"worker.1", "worker.2"}
    assert shop.proxy.ports(HOST) == ()
    scale(shop, "worker=0")
    assert shop.runtime.running == {}
    scale(shop, "web=1")
    assert set(rollout_ids(shop)) == {"web.1"}
    shop.reconcile.run(shop.progress)
    assert len(shop.runtime.running) == 1


def test_a_failed_scaling_changes_nothing(shop: World) -> None:
    """Neither the formation nor what runs."""
    before = (rollout_ids(shop), shop.proxy.ports(HOST))
    shop.runtime.behaviours["serve"] = Behaviour(State.CRASHED, 1, "exited with status 1")
    with pytest.raises(PaasError):
        scale(shop, "web=3", "worker=0")
    assert (rollout_ids(shop), shop.proxy.ports(HOST)) == before
    assert shop.processes.formation(ROOT, "shop") == {"web": 2, "worker": 1}


def test_scaling_up_what_is_stopped_says_so(shop: World) -> None:
    """It is only counted."""
    stop(shop, "worker")
    scale(shop, "worker=2")
    assert "worker.2" not in rollout_ids(shop)
    assert any("Stopped by hand" in line and "worker.2" in line for line in shop.progress.lines)


def test_stopping_drains_before_it_stops(shop: World) -> None:
    """The proxy is switched and drained first."""
    shop.proxy.calls.clear()
    stop(shop, "web.1")
    assert [call.split()[0] for call in shop.proxy.calls] == ["apply", "drain", "drain"]


@pytest.mark.parametrize("word", ["web.3", "web.0", "none", "web.x", "none.1"])
def test_unknown_instances_are_refused(shop: World, word: str) -> None:
    """And nothing is changed."""
    before = rollout_ids(shop)
    for act in (restart, stop, start):
        with pytest.raises(PaasError):
            act(shop, word)
    assert (rollout_ids(shop), shop.store.stopped.of_app(1)) == (before, frozenset())


def test_a_restart_of_what_is_stopped_is_refused(shop: World) -> None:
    """It says how to start it."""
    stop(shop, "worker")
    with pytest.raises(PaasError, match="is stopped"):
        restart(shop, "worker.1")


def test_waiting_tells_for_whom(shop: World) -> None:
    """ps:wait says who changes the app, and what is live then."""
    assert shop.processes.wait(ROOT, "shop", shop.progress) == 1
    assert shop.progress.lines == []


def test_starting_a_part_of_what_is_stopped() -> None:
    """The rest stays stopped."""
    counts = {WEB: 2, WORKER: 1}
    everything = after_stop(frozenset(), [])
    assert after_start(everything, named(["web.1"], counts), counts) == {"web.2", "worker"}
    assert after_start(everything, instance_names(counts), counts) == frozenset()
    assert after_start(frozenset({"web"}), named(["worker"], counts), counts) == {"web"}


class PowerCutError(BaseException):
    """The machine is gone: nothing is cleaned up."""


@pytest.mark.parametrize(
    ("change", "words"), [(scale, ["web=3", "worker=0"]), (stop, ["web.2"]), (start, ["worker"])]
)
def test_a_power_cut_at_the_switch(
    shop: World,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[..., None],
    words: list[str],
) -> None:
    """Quantities and what is stopped are recorded with the switch: all of it or nothing."""

    def cut(*_: object, **__: object) -> None:
        raise PowerCutError

    stop(shop, "worker")
    before = shop.store.formations.of_app(1), shop.store.stopped.of_app(1)
    with monkeypatch.context() as power:
        for table in (shop.store.formations, shop.store.stopped):
            power.setattr(table, "set", _once(table.set, PowerCutError))
        power.setattr(shop.store.releases, "make_current", cut)
        with pytest.raises(PowerCutError):
            change(shop, *words)
    assert (shop.store.formations.of_app(1), shop.store.stopped.of_app(1)) == before
    change(shop, *words)
    assert (shop.store.formations.of_app(1), shop.store.stopped.of_app(1)) != before


def _once(method: Callable[..., None], then: type[BaseException]) -> Callable[..., None]:
    """A method that works once: what is undone after the power is gone is not undone."""
    calls: list[object] = []

    def called(*words: object) -> None:
        calls.append(words)
        if len(calls) > 1:
            raise then
        method(*words)

    return called
