"""The deploy sequence: live or nothing changed."""

import pytest

from paas.domain.releases.releases import State, Status
from paas.domain.server.allocations import Kind
from paas.domain.values.errors import PaasError, disk_full
from paas.domain.values.names import VarName
from paas.services.access import refreshed
from tests.fakes.runtime import Behaviour
from tests.fakes.world import ROOT, World


def test_first_push_goes_live(world: World) -> None:
    """A push ends with a release, an instance and a site."""
    world.app()
    world.push()
    assert world.live == ["(5000,)"]
    assert [r.status for r in world.store.releases.of_app(1)] == [Status.SUCCEEDED]
    assert [i.id for i in world.store.instances.of_app(1)] == ["1-v1-1-web.1"]
    assert "-----> Live: http://shop.example.com/ (v1)" in world.progress.lines


def test_what_does_not_start_unasked_is_told_once(world: World) -> None:
    """At the first push, with the command that starts it."""
    world.repository.procfiles["a" * 40] = b"web: serve\nworker: work\nrelease: echo x\n"
    world.app()
    world.push()
    hint = "       Not started: worker. To start: paas ps:scale worker=1"
    assert hint in world.progress.lines
    world.push()
    assert world.progress.lines.count(hint) == 1
    world.repository.procfiles["b" * 40] = b"web: serve\nworker: work\nclock: tick\n"
    world.push(commit="b" * 40)
    assert world.progress.lines.count(hint) == 1
    assert "       Not started: clock. To start: paas ps:scale clock=1" in world.progress.lines


def test_what_app_json_scales_is_told(world: World) -> None:
    """When it comes, changes, and when it is no longer declared; what was set by hand stays."""
    world.app()
    world.repository.procfiles = {c * 40: b"web: serve\nworker: work\n" for c in "abc"}
    world.repository.contents["b" * 40, "app.json"] = b'{"formation": {"worker": {"quantity": 2}}}'
    told = []
    for commit in "abc":
        world.progress.lines.clear()
        world.push(commit=commit * 40)
        told.append([line for line in world.progress.lines if "Scaled" in line])
    worker = "       Scaled by app.json: worker="
    assert told == [[], [f"{worker}2 (was 0)"], [f"{worker}0 (was 2)"]]


def test_second_push_replaces_without_a_gap(world: World) -> None:
    """New instances are up and routed before the old are drained and stopped."""
    world.app()
    world.push()
    world.runtime.calls.clear()
    world.proxy.calls.clear()
    world.push(commit="b" * 40)
    assert world.runtime.calls == ["start 1-v2-2", "stop 1-v1-1-web.1"]
    assert world.proxy.calls == ["apply 1 5001", "drain", "drain"]
    assert world.live == ["(5000,)", "(5001,)"]
    held = [known.number for known in world.store.allocations.all() if known.kind is Kind.PORT]
    assert held == [5001]


@pytest.mark.parametrize("stage", ["space", "procfile", "nothing", "build", "crash", "proxy"])
def test_failure_changes_nothing(world: World, stage: str) -> None:
    """Whatever fails before the switch, the old release serves and nothing is left behind but,
    where there was one, the slug of the failed release: releases:retry can take it."""
    world.app()
    world.push()
    before = (world.store.instances.all(), world.proxy.by_app.copy())
    if stage == "space":
        world.slugs.full = True
    elif stage == "procfile":
        world.repository.procfiles["b" * 40] = b"no colon"
    elif stage == "nothing":
        world.repository.procfiles["b" * 40] = None
    elif stage == "build":
        world.builder.failure = PaasError("build", "The build failed.")
    elif stage == "crash":
        world.repository.procfiles["b" * 40] = b"web: broken"
        world.runtime.behaviours["broken"] = Behaviour(
            State.CRASHED, exits=1, exit_reason="exited with status 3"
        )
    else:
        world.proxy.failure = PaasError("nginx", "nginx refused the site.")
    with pytest.raises(PaasError):
        world.push(commit="b" * 40)
    assert (world.store.instances.all(), world.proxy.by_app) == before
    releases = world.store.releases.of_app(1)
    assert world.slugs.frozen == {release.slug_id for release in releases}
    assert len(releases) == (2 if stage in {"crash", "proxy"} else 1)
    assert world.slugs.building == set()
    app = world.store.apps.find("shop")
    assert app is not None
    assert app.current == 1
    assert set(world.runtime.running) == {"1-v1-1-web.1"}
    assert len(world.live) == 1


def test_a_crash_with_a_known_cause_is_one_line(world: World) -> None:
    """What the command names is not there: the file is named, and no traceback is shown."""
    world.app()
    world.repository.procfiles["a" * 40] = b"web: gunicorn app:ap"
    world.runtime.behaviours["gunicorn app:ap"] = Behaviour(
        State.CRASHED, exits=1, exit_reason="exited with status 4"
    )
    world.logs.printed["web.1"] = ["Starting", "Failed to find attribute 'ap' in 'app'."]
    with pytest.raises(PaasError) as caught:
        world.push()
    assert caught.value.report == (
        "web.1 exited with status 4 before it answered on its port. app.py has no 'ap', which the "
        "command names."
    )
    assert "paas logs -n 100" in (caught.value.hint or "")


def test_crash_is_explained(world: World) -> None:
    """The error names the exit status and shows the last lines."""
    world.app()
    world.repository.procfiles["a" * 40] = b"web: broken"
    world.runtime.behaviours["broken"] = Behaviour(
        State.CRASHED, exits=1, exit_reason="exited with status 3"
    )
    world.logs.printed["web.1"] = ["Traceback", "SyntaxError: invalid syntax"]
    with pytest.raises(PaasError) as caught:
        world.push()
    assert "web.1 exited with status 3 before it answered" in caught.value.report
    assert "SyntaxError: invalid syntax" in caught.value.report


def test_wrong_port_is_named(world: World) -> None:
    """An app that listens elsewhere gets a message with both ports, before the time limit."""
    world.app()
    world.repository.procfiles["a" * 40] = b"web: elsewhere"
    world.runtime.behaviours["elsewhere"] = Behaviour(listens=frozenset({("0.0.0.0", 8000)}))
    world.probe.silent = True
    with pytest.raises(PaasError) as caught:
        world.push()
    assert caught.value.reference == "wrong-port"
    assert "0.0.0.0:8000" in caught.value.report
    assert "127.0.0.1:5000" in caught.value.report
    assert world.clock.seconds < 30


def test_never_listening_ends_at_the_limit(world: World) -> None:
    """An app that opens no port fails after the limit, which is named."""
    world.app()
    world.repository.procfiles["a" * 40] = b"web: idle"
    world.runtime.behaviours["idle"] = Behaviour(listens=frozenset())
    world.probe.silent = True
    with pytest.raises(PaasError) as caught:
        world.push()
    assert caught.value.reference == "port-not-opened"
    assert "60 s (start limit: the server's default)" in caught.value.report


def test_old_slugs_are_pruned(world: World) -> None:
    """Only as many slugs are kept as the setting says, the running one always."""
    world.app()
    for letter in "abcd":
        world.push(commit=letter * 40)
    kept = [slug.commit[0] for slug in world.store.slugs.of_app(1)]
    assert kept == ["d", "c"]
    assert len(world.slugs.frozen) == 2


def test_failure_after_the_switch_keeps_the_new_release(world: World) -> None:
    """An error while the old instances are drained is logged; the new version stays."""
    world.app()
    world.push()

    def refuse(*_: object) -> None:
        raise PaasError("stop", "supervisord does not answer.")

    world.runtime.stop = refuse  # type: ignore[method-assign, assignment]
    world.push(commit="b" * 40)
    app = world.store.apps.find("shop")
    assert app is not None
    assert app.current == 2
    assert len(world.slugs.frozen) == 2
    assert any("Old instances are still running" in text for _, _, text in world.logs.lines)


def test_config_is_part_of_the_release(world: World) -> None:
    """config:set makes a release with the same slug; a failed one leaves the old config."""
    from paas.domain.values.names import VarName

    world.app()
    world.push()
    name = VarName("GREETING")
    world.config.set(ROOT, "shop", {name: "hello"}, world.progress)
    assert world.environment()["GREETING"] == "hello"
    assert world.store.releases.of_app(1)[0].slug_id == world.store.releases.of_app(1)[1].slug_id
    world.runtime.failure = PaasError("start", "supervisord does not answer.")
    with pytest.raises(PaasError):
        world.config.set(ROOT, "shop", {name: "other"}, world.progress)
    assert world.config.get(ROOT, "shop", name).reveal() == "hello"
    assert world.store.releases.of_app(1)[0].status is Status.FAILED


def test_config_without_change_makes_no_release(world: World) -> None:
    """Setting what is set answers at once."""
    from paas.domain.values.names import VarName

    world.app()
    world.config.set(ROOT, "shop", {VarName("A"): "1"}, world.progress)
    assert world.config.set(ROOT, "shop", {VarName("A"): "1"}, world.progress) is None
    assert len(world.store.releases.of_app(1)) == 1


def test_config_before_the_first_push_is_there_at_the_first_push(world: World) -> None:
    """An app that was never deployed has a config, too."""
    from paas.domain.values.names import VarName

    world.app()
    world.config.set(ROOT, "shop", {VarName("A"): "1"}, world.progress)
    world.push()
    assert world.environment()["A"] == "1"


def test_failure_tells_what_goes_on_serving(world: World) -> None:
    """The version that still serves is named; before the first release there is none."""
    world.app()
    world.builder.failure = PaasError("build", "The build failed.")
    with pytest.raises(PaasError):
        world.push()
    assert "-----> The deploy failed; nothing is deployed yet" in world.progress.lines
    world.builder.failure = None
    world.push()
    world.builder.failure = PaasError("build", "The build failed.")
    with pytest.raises(PaasError):
        world.push(commit="b" * 40)
    assert "-----> The deploy failed; v1 is still serving" in world.progress.lines


def test_app_without_a_web_process_is_warned_of(world: World) -> None:
    """It goes live, and the pusher hears that nothing will answer."""
    world.app()
    world.repository.procfiles["a" * 40] = b"worker: work"
    world.push()
    assert any("There is no web process" in line for line in world.progress.lines)


def test_a_slug_that_the_disk_does_not_take_never_goes_live(world: World) -> None:
    """It is written while the instances start, and waited for before the switch."""
    world.app()
    world.push()
    running = dict(world.runtime.running)
    world.slugs.disk_failure = disk_full()
    with pytest.raises(PaasError, match="disk is full"):
        world.push(commit="b" * 40)
    assert world.runtime.running == running
    assert world.store.releases.of_app(1)[0].status is Status.FAILED


def test_a_full_disk_keeps_nothing_running_and_no_release_pending(world: World) -> None:
    """Its failure is recorded when the room of its files is free."""
    world.app()
    world.push()
    running = dict(world.runtime.running)
    record, tries = world.store.releases.fail, iter([disk_full()])

    def fail_release(app_id: int, version: int) -> None:
        for error in tries:
            raise error
        record(app_id, version)

    world.store.releases.fail = fail_release  # type: ignore[method-assign]
    world.proxy.failure = disk_full()
    with pytest.raises(PaasError, match="disk is full"):
        world.push(commit="b" * 40)
    assert world.runtime.running == running
    assert [r.status for r in world.store.releases.of_app(1)] == [Status.FAILED, Status.SUCCEEDED]
    assert {i.version for i in world.store.instances.of_app(1)} == {1}


def test_a_failure_says_what_serves_and_not_what_does_not(world: World) -> None:
    """Nothing yet; config alone; a release that was stopped by hand; a worker alone."""
    world.app()
    world.builder.failure = PaasError("build-failed", "No.")

    def failed() -> str:
        with pytest.raises(PaasError):
            world.push(commit="b" * 40)
        return next(line for line in reversed(world.progress.lines) if "The deploy failed" in line)

    assert failed() == "-----> The deploy failed; nothing is deployed yet"
    world.config.set(ROOT, "shop", {VarName("A"): "1"}, world.progress)
    assert failed() == "-----> The deploy failed; nothing is deployed yet"
    world.builder.failure = None
    world.repository.procfiles["a" * 40] = b"web: serve\nworker: work"
    world.push()
    world.builder.failure = PaasError("build-failed", "No.")
    assert failed() == "-----> The deploy failed; v2 is still serving"
    world.processes.scale(ROOT, "shop", ["worker=1", "web=0"], world.progress)
    assert failed() == "-----> The deploy failed; v2 is still running"
    world.processes.stop(ROOT, "shop", [], world.progress)
    assert failed() == (
        "-----> The deploy failed; v2 is still the current release, and none of its processes runs"
    )


def test_the_page_of_an_app_with_config_alone(world: World) -> None:
    """The proxy knows that nothing was deployed; from the first deploy on something was."""
    app = world.app()
    world.config.set(ROOT, "shop", {VarName("A"): "1"}, world.progress)
    assert not world.sites.present(refreshed(world.store, app)).deployed
    world.push()
    assert world.sites.present(refreshed(world.store, app)).deployed
