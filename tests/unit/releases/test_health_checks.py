"""Health checks of app.json: before the switch, and liveness from then on."""

import json
from collections.abc import Callable

import pytest

from paas.domain.manifest.health import Answer
from paas.domain.releases.formation import WEB
from paas.domain.releases.releases import State
from paas.domain.routing.hosts import HostName
from paas.domain.routing.routing import Routing
from paas.domain.routing.sites import Redirect
from paas.domain.routing.visits import Visit, visit
from paas.domain.values.errors import PaasError
from paas.services.server.liveness import CheckStates, Liveness
from paas.wiring import monitor
from tests.fakes.runtime import Behaviour
from tests.fakes.world import ROOT, World
from tests.unit.certificates.test_certificates import certificate

A, B = "a" * 40, "b" * 40


def declare(world: World, commit: str, *checks: object, kind: str = "web") -> None:
    """Give a commit an app.json with these checks."""
    content = {"healthchecks": {kind: list(checks)}}
    world.repository.contents[commit, "app.json"] = json.dumps(content).encode()


def test_without_checks_any_answer_will_do(world: World) -> None:
    """The default."""
    world.app()
    world.push()
    assert world.probe.asked == ["any"]


def test_checks_come_by_a_name_that_is_live(world: World) -> None:
    """After the app's own name was removed, too: an app that checks its hosts refuses that."""
    world.app()
    world.domains.add(
        ROOT, "shop", [HostName("shop.test"), HostName("www.shop.test")], world.progress
    )
    world.push()
    world.domains.remove(ROOT, "shop", [HostName("shop.example.com")], world.progress)
    declare(world, B, {"path": "/up"})
    world.push(commit=B)
    assert world.probe.visits == [Visit("shop.example.com"), Visit("shop.test")]


def test_checks_come_by_the_scheme_of_visitors() -> None:
    """With a certificate by https: an app that redirects to it is not judged by its redirect."""
    held = [certificate("*.shop.test")]
    only_wild = Routing(domains=("*.shop.test",), own_host=False)
    assert visit(only_wild, "own.test", held, https=True) == Visit("www.shop.test", "https")
    assert visit(only_wild, "own.test", held, https=False) == Visit("www.shop.test", "http")
    assert visit(Routing(), "own.test", held, https=True) == Visit("own.test", "http")
    redirected = Routing(own_host=False, redirects=(Redirect("old.test", "new.test"),))
    assert visit(redirected, "own.test", [], https=True) == Visit("own.test", "http")


def test_a_check_takes_the_place_of_the_default(world: World) -> None:
    """Only what app.json names is asked for; liveness checks are for later."""
    world.app()
    declare(world, A, {"path": "/up"}, {"path": "/live", "type": "liveness"})
    world.push()
    assert world.probe.asked == ["/up"]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Answer(500, b""), "GET /up was answered with status 500"),
        (Answer(200, b"nothing"), "the answer to GET /up does not contain 'ready'"),
    ],
)
def test_failures_are_counted(world: World, answer: Answer, why: str) -> None:
    """So many attempts, so long apart; then the push is rejected and the old release serves."""
    world.app()
    world.push()
    world.probe.pages["/up"] = answer
    world.probe.asked.clear()
    declare(world, B, {"type": "readiness", "path": "/up", "content": "ready", "attempts": 4})
    started = world.clock.seconds
    with pytest.raises(PaasError) as caught:
        world.push(commit=B)
    assert caught.value.reference == "health-check-failed"
    assert why in caught.value.report
    assert world.probe.asked == ["/up"] * 4
    assert 15 <= world.clock.seconds - started < 16
    assert [instance.version for instance in world.store.instances.of_app(1)] == [1]


@pytest.mark.parametrize(
    ("header", "host"), [({}, "shop.example.com"), ({"host": "www.test"}, "www.test")]
)
def test_a_refusal_tells_whom_was_asked_for(
    world: World, header: dict[str, str], host: str
) -> None:
    """An app that checks its hosts refuses with 400: without the name nobody knows why."""
    world.app()
    world.probe.pages["/up"] = Answer(400, b"")
    headers = [{"name": name, "value": value} for name, value in header.items()]
    declare(world, A, {"path": "/up", "httpHeaders": headers})
    with pytest.raises(PaasError) as caught:
        world.push()
    told = f"with status 400 (Host: {host}, which httpHeaders of the check can change)"
    assert told in caught.value.report


def test_silence_before_the_first_answer_is_no_failure(world: World) -> None:
    """An instance that starts slowly has start_limit_s, however few attempts there are."""
    world.app()
    world.probe.silent = True
    declare(world, A, {"path": "/up", "attempts": 1})
    with pytest.raises(PaasError) as caught:
        world.push()
    assert caught.value.reference == "port-not-opened"
    assert world.clock.seconds >= 60


def test_one_that_ends_while_others_start_is_noticed(world: World) -> None:
    """It was healthy once, and is no longer when the last one is: nothing goes live."""
    world.repository.procfiles[A] = b"web: serve\nworker: work\n"
    world.app()
    world.push()
    world.processes.scale(ROOT, "shop", ["worker=1"], world.progress)
    world.repository.procfiles[B] = b"web: frail\nworker: work\n"

    def end() -> None:
        world.runtime.behaviours["frail"] = Behaviour(exits=1, exit_reason="exited with status 1")

    world.probe.meanwhile = end
    with pytest.raises(PaasError, match=r"web\.1 exited with status 1 before all the others"):
        world.push(commit=B)
    assert [instance.version for instance in world.store.instances.of_app(1)] == [1, 1]


def test_a_command_that_ends_without_an_error_is_told_to_go_on(world: World) -> None:
    """To fix the cause helps nobody whose program went into the background."""
    world.repository.procfiles[A] = b"web: brief\n"
    world.app()
    world.runtime.behaviours["brief"] = Behaviour(
        exits=1, exit_reason="exited with status 0", exit_status=0
    )
    with pytest.raises(PaasError, match=r"web\.1 exited with status 0 before") as caught:
        world.push()
    assert "a process must keep running" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("behaviour", "told"),
    [
        (
            Behaviour(State.CRASHED, 1, "killed by SIGKILL (out of memory: x)", -9, error="R15"),
            r"web.1 was killed by SIGKILL \(out of memory: x\) before it answered on its port\. "
            r"Error R15 \(Memory quota vastly exceeded\)\.",
        ),
        (
            Behaviour(exit_reason="2 processes were killed", listens=frozenset(), error="R14"),
            r"web.1 did not answer within .*: 2 processes were killed\. "
            r"Error R14 \(Memory quota exceeded\)\.",
        ),
    ],
)
def test_what_needs_more_memory_is_told_how_to_get_it(
    world: World, behaviour: Behaviour, told: str
) -> None:
    """Whether it ended itself, or only its workers, over and over."""
    world.repository.procfiles[A] = b"web: hungry\n"
    world.app()
    world.runtime.behaviours["hungry"] = behaviour
    world.probe.silent = True
    with pytest.raises(PaasError, match=told) as caught:
        world.push()
    assert caught.value.reference == "instance-memory"
    assert "paas resource:limit memory=1g" in str(caught.value.hint)


def test_a_failure_may_be_a_mere_warning(world: World) -> None:
    """warn: true."""
    world.app()
    world.probe.pages["/up"] = None
    world.probe.pages["/"] = Answer(200, b"")
    declare(world, A, {"path": "/"}, {"path": "/up", "warn": True, "name": "up"})
    world.push()
    assert " !     web.1: up: there was no answer" in world.progress.lines


def test_uptime_and_initial_delay(world: World) -> None:
    """Both are waited for."""
    world.app()
    declare(world, A, {"uptime": 7}, {"path": "/", "initialDelay": 9})
    world.push()
    assert world.clock.seconds >= 9


@pytest.fixture
def liveness(world: World) -> Liveness:
    """The service of the monitor process."""
    return monitor.liveness(world.adapters)


def rounds(world: World, liveness: Liveness, seconds: int, check_states: CheckStates) -> list[str]:
    """What is ended in so many seconds, one round each."""
    world.runtime.calls.clear()
    for _ in range(seconds):
        world.clock.sleep(1.0)
        for watched in liveness.watched().values():
            liveness.round(watched, check_states, lambda: False)
    return world.runtime.calls


def test_liveness_restarts_what_fails(world: World, liveness: Liveness) -> None:
    """After so many failures in a row; one answer in between restarts the count."""
    world.app()
    declare(world, A, {"type": "liveness", "path": "/live", "attempts": 2, "wait": 3})
    world.push()
    check_states: CheckStates = {}
    assert rounds(world, liveness, 20, check_states) == []
    world.probe.pages["/live"] = Answer(503, b"")
    assert rounds(world, liveness, 3, check_states) == []
    assert rounds(world, liveness, 3, check_states) == ["end 1-v1-1-web.1"]
    told = "Failed the liveness check 'web check 1': GET /live was answered with status 503."
    assert any(text.startswith(told) for _, _, text in world.logs.lines)


def test_liveness_leaves_apps_alone_that_are_being_changed(
    world: World, liveness: Liveness
) -> None:
    """Its instance may be stopping."""
    world.app()
    declare(world, A, {"type": "liveness", "path": "/live", "attempts": 1, "wait": 1})
    world.push()
    check_states: CheckStates = {}
    assert rounds(world, liveness, 2, check_states) == []
    world.probe.pages["/live"] = None
    world.locks.held[1] = "someone"
    assert rounds(world, liveness, 10, check_states) == []
    del world.locks.held[1]
    assert rounds(world, liveness, 3, check_states) == ["end 1-v1-1-web.1"] * 3


def test_liveness_lets_an_instance_start(world: World, liveness: Liveness) -> None:
    """One that was restarted may fail until it first passes, for as long as at a deploy."""
    world.app()
    declare(world, A, {"type": "liveness", "path": "/live", "attempts": 1, "wait": 1})
    world.push()
    world.runtime.now = world.clock.now()
    world.probe.pages["/live"] = None
    check_states: CheckStates = {}
    assert rounds(world, liveness, 59, check_states) == []
    assert len(rounds(world, liveness, 3, check_states)) > 0


def test_liveness_watches_nothing_without_checks(world: World, liveness: Liveness) -> None:
    """An app without app.json costs nothing."""
    world.app()
    world.push()
    assert liveness.watched() == {}


def test_the_time_told_is_that_of_the_answer(world: World) -> None:
    """Also where that of another instance was waited for in between."""
    world.app()
    world.store.formations.set(1, {WEB: 2})
    world.probe.clock, world.probe.takes_s = world.clock, 3.0
    world.push()
    told = [line.rpartition(" after ")[2] for line in world.progress.lines if "answers on" in line]
    assert told == ["3.0 s", "6.0 s"]


@pytest.mark.parametrize(
    ("status", "words", "warns"),
    [(200, "s", False), (404, "s, GET / with status 404", False), (500, "status 500", True)],
)
def test_an_answer_that_is_an_error_is_told(
    world: World, status: int, words: str, warns: bool
) -> None:
    """It goes live, but whoever pushes sees it then and there."""
    world.probe.status = status
    world.app()
    world.push()
    (line,) = [line for line in world.progress.lines if "answers on port" in line]
    assert line.endswith(words)
    assert any("5xx is an error" in line for line in world.progress.lines) is warns


def test_last_words_that_arrive_late(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine the log process takes longer than usual."""
    world.app()
    world.runtime.behaviours["serve"] = Behaviour(State.CRASHED, 1, "exited with status 1")
    words = ["Traceback (most recent call last):", "ValueError: no database"]
    looks: list[list[str]] = [[], [], words[:1]]
    monkeypatch.setattr(world.logs, "instance_tail", lambda *_, **__: next(iter(looks), words))
    monkeypatch.setattr(world.clock, "sleep", _one_look_later(world, looks))
    with pytest.raises(PaasError) as caught:
        world.push()
    assert list(caught.value.context) == words


def _one_look_later(world: World, looks: list[list[str]]) -> Callable[[float], None]:
    sleep = world.clock.sleep

    def slept(seconds: float) -> None:
        sleep(seconds)
        if looks:
            del looks[0]

    return slept
