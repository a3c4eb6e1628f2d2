"""Cron jobs: how they are declared, when they are due, and what becomes of a run."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from paas.adapters.system.schedules import CronSimSchedules
from paas.domain.manifest.procfile import command_position, cron_line, instance_types, is_cron
from paas.domain.people.actors import Actor
from paas.domain.runs.cron import Missed, Verdict, is_taken, jobs_of, judge, looked_until
from paas.domain.runs.cron_history import APP_RUNS_MAX, RUNS_MAX, PastRun
from paas.domain.runs.runs import Run, RunEnd
from paas.domain.values.errors import PaasError
from paas.domain.values.names import AppName, ProcessType
from tests.fakes.world import ROOT, World
from tests.unit.runs.test_runs import Nobody

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
NEXT = CronSimSchedules().next_after


def at(text: str) -> datetime:
    """A moment of that day: ``12:00:30``."""
    return datetime.fromisoformat(f"2026-01-01T{text}+00:00")


def deploy(world: World, *cron: Mapping[str, object], procfile: bytes = b"web: serve\n") -> None:
    """Push an app that declares these jobs."""
    if world.store.apps.find("shop") is None:
        world.app()
    world.repository.procfiles["a" * 40] = procfile
    world.repository.contents["a" * 40, "app.json"] = json.dumps({"cron": cron}).encode()
    world.push()


@pytest.mark.parametrize(
    ("kind", "job"),
    [
        *((kind, True) for kind in ("cron", "cron2", "cron-a", "cron_B", "cron-a-b")),
        *((kind, False) for kind in ("cronjob", "cron-", "cron--a", "Cron", "web", "acron")),
    ],
)
def test_which_lines_are_jobs(kind: str, job: bool) -> None:
    """cron, cron2 and cron-name are; whatever else starts with the word is a process type."""
    assert is_cron(kind) is job
    assert (ProcessType(kind) in instance_types({ProcessType(kind): "x"})) is not job


def test_procfile_line() -> None:
    """Five fields or one word, then the command with its own blanks."""
    assert cron_line("*/5  0 * * MON echo  a b") == ("*/5 0 * * MON", "echo  a b")
    assert cron_line("@daily make  mail") == ("@daily", "make  mail")
    for text in ("sleep infinity", "* * * * *", "@daily"):
        with pytest.raises(PaasError):
            cron_line(text)
    assert command_position(b"\xef\xbb\xbfweb: x\r\n cron-a :  * *\r\n", "cron-a").endswith(
        "2, column 12"
    )


def test_names(world: World) -> None:
    """Given, by the line's type, or from the command; no two alike."""
    procfile = b"cron: 0 1 * * * python a.py\ncron-b: 0 1 * * * x\ncron2: 0 1 * * * python a.py\n"
    deploy(
        world,
        {"command": "python a.py", "schedule": "@daily"},
        {"command": "&&", "schedule": "@daily"},
        {"command": "x", "schedule": "@daily", "name": "python-a-py"},
        procfile=procfile,
    )
    names = [item.job.name for item in world.cron.listing(ROOT, "shop")]
    assert names == ["python-a-py-2", "job", "python-a-py", "python-a-py-3", "b", "python-a-py-4"]
    assert not world.store.instances.all()


@pytest.mark.parametrize(
    ("content", "procfile", "told"),
    [
        (
            '{"cron": [{"command": "x",\n "schedule": "0 25 * * *"}]}',
            "",
            "app.json, line 2, column",
        ),
        ('{"cron": [{"command": "x", "schedule": "@reboot"}]}', "", "'@reboot' is not"),
        ('{"cron": [{"command": "x", "schedule": "* * * * * *"}]}', "", "has 6 fields"),
        ('{"cron": [{"command": "x", "schedule": "0 0 31 2 *"}]}', "", "day-of-month is wrong"),
        ('{"cron": [{"command": "x", "schedule": "0 0 29 2 MON#5/9"}]}', "", "is not a cron"),
        ("{}", "\ncron: sleep infinity", "Procfile, line 2, column 7: A cron line is"),
        ("{}", "cron-x: 0 x * * * y", "Procfile, line 1, column 9: '0 x * * *' is not"),
    ],
)
def test_wrong_schedules(world: World, content: str, procfile: str, told: str) -> None:
    """They reject the push with their place, before anything is built."""
    app = world.app()
    world.repository.procfiles["a" * 40] = f"{procfile}\nweb: serve\n".encode()
    world.repository.contents["a" * 40, "app.json"] = content.encode()
    with pytest.raises(PaasError) as caught:
        world.push()
    assert told in caught.value.message
    assert "-----> Fake app detected" not in world.progress.lines
    with pytest.raises(PaasError):
        world.diffs.pushed(app, "a" * 40, None)  # type: ignore[arg-type]


def test_too_many_and_twice() -> None:
    """So many jobs, and one name for two, are refused."""
    lines = {ProcessType(f"cron{n}"): "@daily x" for n in range(51)}
    with pytest.raises(PaasError) as caught:
        jobs_of((), lines)
    assert caught.value.reference == "cron-jobs"
    twice = {ProcessType("cron-a"): "@daily x", ProcessType("cron_a"): "@daily x"}
    with pytest.raises(PaasError) as caught:
        jobs_of((), twice)
    assert caught.value.reference == "cron-name"


@pytest.mark.parametrize(
    ("schedule", "since", "now", "verdict"),
    [
        ("* * * * *", "12:00:00", "12:00:59", Verdict()),
        ("* * * * *", "11:59:59", "12:00:00", Verdict(at("12:00:00"))),
        ("* * * * *", "12:00:01", "12:01:00", Verdict(at("12:01:00"))),
        ("0 12 * * *", "11:00:00", "12:00:59", Verdict(at("12:00:00"))),
        ("0 12 * * *", "11:00:00", "12:01:00", Verdict(None, Missed(1, NOON, NOON))),
        (
            "*/10 * * * *",
            "11:30:00",
            "12:00:05",
            Verdict(NOON, Missed(2, at("11:40:00"), at("11:50:00"))),
        ),
        ("* * * * *", "13:00:00", "12:00:00", Verdict()),
    ],
)
def test_what_is_due(schedule: str, since: str, now: str, verdict: Verdict) -> None:
    """A run up to a minute late is made, one at most; earlier ones were missed."""
    assert judge(partial(NEXT, schedule), at(since), at(now)) == verdict


def test_a_long_absence() -> None:
    """Counting ends at a thousand; what is due now is found all the same."""
    verdict = judge(partial(NEXT, "* * * * *"), NOON - timedelta(days=400), NOON)
    assert verdict.at == NOON
    assert verdict.missed is not None
    assert verdict.missed.words.startswith("1000 runs or more")


def test_a_clock_that_is_set_back() -> None:
    """By some hours: nothing is run twice. By more: it had been wrong, and counts for nothing."""
    assert looked_until(at("14:00:00"), NOON) == at("14:00:00")
    assert looked_until(at("16:00:00"), NOON) == NOON
    assert looked_until(None, NOON) == NOON
    assert is_taken(NOON, NOON)
    assert is_taken(at("14:59:00"), NOON)
    assert not is_taken(at("15:01:00"), NOON)
    assert not is_taken(at("11:59:00"), NOON)


def test_a_run_of_each_time_once(world: World) -> None:
    """However often it is asked for, and the latest is remembered."""
    deploy(world, {"command": "make mail", "schedule": "0 12 * * *", "name": "mail"})
    app = world.store.apps.find("shop")
    assert app is not None
    for _ in range(3):
        world.cron.start_due(app.id, "mail", NOON)
        world.runs.running.clear()
    (wanted,) = world.runs.wanted
    assert (wanted.command, wanted.user, wanted.job) == ("make mail", "cron", "mail")
    state = world.store.cron.of_app(app.id)["mail"]
    assert (state.due, state.user, state.ended) == (NOON, "cron", None)


def test_forbid(world: World) -> None:
    """By default one run at a time; what is left out is reported, and not made up for."""
    deploy(world, {"command": "x", "schedule": "* * * * *", "name": "mail"})
    app = world.store.apps.find("shop")
    assert app is not None
    first = world.cron.detach(ROOT, "shop", "mail")
    assert first.label == "cron.mail"
    with pytest.raises(PaasError) as caught:
        world.cron.detach(ROOT, "shop", "mail")
    assert caught.value.reference == "cron-running"
    world.cron.start_due(app.id, "mail", NOON)
    assert len(world.runs.running) == 1
    assert "Not run at 12:00 UTC: cron.mail has run since" in world.logs.lines[-1][2]
    world.runs.running.clear()
    world.cron.start_due(app.id, "mail", NOON)
    assert not world.runs.running
    assert world.store.cron.of_app(app.id)["mail"].user == "root"


@pytest.mark.parametrize(("policy", "running"), [("allow", 2), ("replace", 1)])
def test_other_policies(world: World, policy: str, running: int) -> None:
    """allow lets runs overlap, replace ends the one before."""
    job = {"command": "x", "schedule": "@daily", "name": "a", "concurrency_policy": policy}
    deploy(world, job)
    world.cron.detach(ROOT, "shop", "a")
    second = world.cron.detach(ROOT, "shop", "cron.a")
    assert len(world.runs.running) == running
    assert second in world.runs.running
    world.app_runs.stop(ROOT, "shop", ["cron.a"], world.progress)
    assert not world.runs.running


def test_attached(world: World) -> None:
    """Its exit status is passed on and remembered."""
    deploy(world, procfile=b"cron-a: @daily x\n")
    world.runs.status = 3
    assert world.cron.run(ROOT, "shop", "a", None, Nobody(), world.progress) == 3
    (item,) = world.cron.listing(ROOT, "shop")
    assert (item.state.status, item.running) == (3, ())
    assert item.state.ended is not None
    assert item.next == datetime(2026, 1, 2, tzinfo=UTC)


def test_suspended(world: World) -> None:
    """By app.json, by hand by name or all; it stays so over releases, also in a copy."""
    deploy(
        world,
        {"command": "x", "schedule": "@daily", "name": "a", "maintenance": True},
        {"command": "x", "schedule": "@daily", "name": "b"},
    )

    def suspended(app: str = "shop") -> list[bool]:
        return [item.state.is_suspended(item.job) for item in world.cron.listing(ROOT, app)]

    assert suspended() == [True, False]
    world.cron.suspend(ROOT, "shop", [], suspended=True)
    world.cron.suspend(ROOT, "shop", ["a"], suspended=False)
    assert suspended() == [False, True]
    world.push()
    assert suspended() == [False, True]
    world.cloning.clone(ROOT, "shop", AppName("copy"), world.progress)
    assert suspended("copy") == [False, True]
    with pytest.raises(PaasError) as caught:
        world.cron.suspend(ROOT, "shop", ["b", "c"], suspended=False)
    assert caught.value.reference == "no-such-job"
    assert suspended() == [False, True]


def test_nobody_else_s(world: World) -> None:
    """Another user's jobs cannot be seen or run."""
    deploy(world, procfile=b"cron-a: @daily x\n")
    mallory: Actor = world.user("mallory")
    for attempt in (
        lambda: world.cron.listing(mallory, "shop"),
        lambda: world.cron.detach(mallory, "shop", "a"),
        lambda: world.cron.suspend(mallory, "shop", [], suspended=True),
    ):
        with pytest.raises(PaasError) as caught:
            attempt()
        assert caught.value.reference == "no-such-app"


def test_gone(world: World) -> None:
    """A job whose app or line has gone meanwhile is not run, and nothing is reported."""
    deploy(world, procfile=b"cron-a: @daily x\n")
    app = world.store.apps.find("shop")
    assert app is not None
    world.cron.start_due(app.id, "b", NOON)
    world.apps.destroy(ROOT, "shop", "shop", world.progress)
    world.cron.start_due(app.id, "a", NOON)
    assert not world.runs.wanted
    run = PastRun(job="a", user="cron", version=1, started=NOON)
    assert not world.store.cron.take(app.id, "a", NOON, run)
    assert world.store.cron.of_app(app.id) == {}


def test_a_run_that_does_not_start(world: World) -> None:
    """Is told in the log, and counts as interrupted."""
    deploy(world, procfile=b"cron-a: @daily x\n")
    app = world.store.apps.find("shop")
    assert app is not None

    def detached(*_: object) -> Run:
        raise PaasError("too-many-runs", "There are too many.")

    world.runs.detached = detached  # type: ignore[method-assign, assignment]
    world.cron.start_due(app.id, "a", NOON)
    assert world.logs.lines[-1][1:] == ("cron.a", "Not run at 12:00 UTC: There are too many.")
    state = world.store.cron.of_app(app.id)["a"]
    assert state.ended is not None
    assert state.status is None


def test_history(world: World) -> None:
    """Each run with who started it, its release and its end; also of a job that is gone."""
    policy = {"concurrency_policy": "allow"}
    deploy(world, {"command": "x", "schedule": "* * * * *", "name": "a", **policy})
    app = world.store.apps.find("shop")
    assert app is not None
    for _ in range(3):
        world.clock.seconds += 60
        world.cron.start_due(app.id, "a", world.clock.now())
    one, two, three = (run.started for run in reversed(world.cron.history(ROOT, "shop", "a")))
    world.runs.running.pop(0)
    world.store.cron.end(app.id, "a", one, two, RunEnd(137, "the limit is 512 MiB"))
    found = world.cron.history(ROOT, "shop", "cron.a")
    assert [(run.started, run.user, run.version) for run in found] == [
        (three, "cron", 1),
        (two, "cron", 1),
        (one, "cron", 1),
    ]
    assert [run.result for run in found] == [
        "running",
        "running",
        "exit status 137 (out of memory: the limit is 512 MiB)",
    ]
    assert found[-1].took == two - one
    world.runs.running.clear()
    world.store.cron.interrupt(app.id, "a", three, world.clock.now())
    deploy(world, procfile=b"cron-b: @daily x\n")
    world.runs.status = 0
    world.cron.run(ROOT, "shop", "b", None, Nobody(), world.progress)
    everything = world.cron.history(ROOT, "shop", None)
    assert [(run.job, run.result) for run in everything][:3] == [
        ("b", "succeeded"),
        ("a", "interrupted"),
        ("a", "no result"),
    ]
    assert len(world.cron.history(ROOT, "shop", "a")) == 3
    with pytest.raises(PaasError) as caught:
        world.cron.history(ROOT, "shop", "c")
    assert caught.value.reference == "no-such-job"


def test_the_history_is_bounded(world: World) -> None:
    """For each job, and for all of an app, whose jobs may have other names in each release."""
    app = world.app()
    with world.store.transaction():
        for number in range(APP_RUNS_MAX + 10):
            job = "a" if number < RUNS_MAX + 10 else f"b{number}"
            run = PastRun(job=job, user="cron", version=1, started=NOON + timedelta(number))
            world.store.cron.take(app.id, job, None, run)
            if number == RUNS_MAX + 9:
                kept = world.store.cron.history(app.id, "a")
                assert len(kept) == RUNS_MAX
                assert kept[0].started == run.started
    assert len(world.store.cron.history(app.id, None)) == APP_RUNS_MAX
    world.apps.destroy(ROOT, "shop", "shop", world.progress)
    assert world.store.cron.history(app.id, None) == []
