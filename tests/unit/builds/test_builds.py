"""Builds: finding, following and cancelling them."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from paas.adapters.logs.app_logs import lines_until
from paas.domain.builds.builds import find_build
from paas.domain.builds.steps import BuildSteps
from paas.domain.people.access import Holder
from paas.domain.people.actors import Actor
from paas.domain.people.users import Role
from paas.domain.releases.releases import Build, Status
from paas.domain.values.errors import PaasError
from paas.domain.values.names import AppName, UserName
from paas.entrypoints.cli.command_table import root
from paas.entrypoints.cli.local import LocalCaller
from paas.entrypoints.cli.session import Session
from paas.entrypoints.laptop.suggestions import in_place
from paas.services.builds.builds import queue_reporter
from paas.wiring.services import all_services
from tests.fakes.output import FakeClock
from tests.fakes.world import ROOT, World


@pytest.fixture
def world(in_memory: Path) -> World:
    """A platform with one app."""
    world = World(in_memory)
    world.app()
    return world


def a_build(build_id: str, commit: str) -> Build:
    """A build that has succeeded."""
    return Build(
        build_id, 1, commit, "alice", Status.SUCCEEDED, datetime(2026, 1, 1, tzinfo=UTC), None, None
    )


BUILDS = [
    a_build("1-2026010303", "abcdef1" + "0" * 33),
    a_build("1-2026010202", "1234567" + "0" * 33),
    a_build("1-20260101", "1234567" + "0" * 33),
]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (None, 0),
        ("latest", 0),
        ("1-2026010303", 0),
        ("1-2026010", None),
        ("1-20260102", 1),
        ("1-20260101", 2),
        ("1234567", 1),
        ("abcdef10", 0),
        ("fffffff", None),
        ("../1", None),
    ],
)
def test_which_build_is_meant(wanted: str | None, found: int | None) -> None:
    """By id, its beginning, a commit's, or the newest; never one of several."""
    if found is None:
        with pytest.raises(PaasError):
            find_build(BUILDS, wanted)
    else:
        assert find_build(BUILDS, wanted) == BUILDS[found]


def test_listing_and_output(world: World) -> None:
    """A build tells its release and what it printed, the deploy's lines included."""
    world.push()
    (info,) = world.builds.listing(ROOT, "shop", 10)
    assert (info.words, info.version, info.place) == ("succeeded", 1, None)
    build, lines = world.builds.output(ROOT, "shop", None, lambda: False)
    shown = list(lines)
    assert build == info.build
    assert "-----> Fake app detected" in shown
    assert "(v1)" in shown[-1]


def test_a_failed_build_says_why(world: World) -> None:
    """Its reason stands in the list."""
    world.builder.failure = PaasError("build-failed", "No.")
    with pytest.raises(PaasError):
        world.push()
    assert world.builds.info(ROOT, "shop", None).words == "failed: build-failed"


def test_a_queued_build_is_told_its_place(world: World) -> None:
    """The pusher sees each place; others see it in the list."""
    world.queue.ahead = 2
    seen = []
    world.queue.on_poll = lambda _: seen.append(world.builds.info(ROOT, "shop", None).words)
    world.push()
    waits = [line for line in world.progress.lines if "Waiting for" in line]
    assert waits == [
        "-----> Waiting for other builds: place 2 in the queue",
        "-----> Waiting for other builds: next in the queue",
    ]
    assert seen == ["queued, place 2", "queued, place 1"]
    assert world.queue.users == ["root"]
    assert "waiting for other builds: next in the queue" in world.progress.done


def test_who_waits_is_told_for_whose_build(world: World) -> None:
    """The pusher of each, and the app where it is the waiting one's too."""
    world.push()
    (mine,) = world.store.builds.of_app(1)
    alice = Actor(world.store.users.add(UserName("alice"), Role.MEMBER, world.clock.now()))
    world.store.apps.add(AppName("hers"), Holder("alice"), world.clock.now())
    hers = replace(mine, id="2-1", app_id=2, user="alice")
    world.store.builds.add(hers)
    words: list[str] = []
    told = queue_reporter(world.store, ROOT, world.progress, words.append)
    told(2, ["1-0", mine.id, hers.id])
    queue_reporter(world.store, alice, world.progress, words.append)(1, [mine.id, hers.id])
    assert words == [
        "waiting for another build, root's build of shop and alice's build of hers: "
        "place 2 in the queue",
        "waiting for root's build and alice's build of hers: next in the queue",
    ]


def test_what_a_build_is_at() -> None:
    """Its last step, and the package that is being built meanwhile."""
    steps = BuildSteps()
    lines = [
        (b"hello", "building"),
        (
            b"-----> Installing dependencies with uv (requirements.txt)",
            "building: Installing dependencies with uv",
        ),
        (b"          Building uwsgi==2.0.28", "building uwsgi==2.0.28"),
        (b"          Building psycopg2==2.9.9", "building psycopg2==2.9.9"),
        (b"             Built psycopg2==2.9.9", "building uwsgi==2.0.28"),
        (b"             Built uwsgi==2.0.28", "building: Installing dependencies with uv"),
        (b"       Building wheel for lxml (setup.py): started", "building lxml"),
        (b"-----> Running bin/post_compile\x1b[31m", "building: Running bin/post_compile\\x1b[31m"),
    ]
    assert [steps.line(line) for line, _ in lines] == [words for _, words in lines]


def test_who_waits_is_told_for_what(world: World) -> None:
    """While others build, nothing of this one is being built."""
    world.queue.ahead = 1
    seen: list[str] = []
    world.queue.on_poll = lambda _: seen.append(world.progress.done[-1])
    world.builder.meanwhile = lambda: seen.append(world.progress.done[-1])
    world.push()
    assert seen == ["waiting for other builds", "building"]


@pytest.mark.parametrize("queued", [False, True])
def test_a_cancelled_build_changes_nothing(world: World, queued: bool) -> None:
    """While it builds or waits: the push is rejected with a name, the old release stays."""
    world.push()
    before = world.proxy.ports("shop.example.com")

    def cancel(build_id: str) -> None:
        world.queue.ask_to_cancel(build_id, "alice")

    if queued:
        world.queue.ahead = 1
        world.queue.on_poll = cancel
    else:
        world.builder.meanwhile = lambda: cancel(world.store.builds.of_app(1)[0].id)
    with pytest.raises(PaasError, match="cancelled by alice") as caught:
        world.push(commit="b" * 40)
    assert caught.value.reference == "build-cancelled"
    app = world.store.apps.find("shop")
    assert app is not None and app.current == 1
    assert world.proxy.ports("shop.example.com") == before
    assert world.builds.info(ROOT, "shop", None).words == "cancelled"
    assert not world.queue.requests
    assert not world.slugs.building


@pytest.mark.parametrize("phase", ["predeploy", "release", "start"])
def test_what_is_built_can_be_cancelled_until_the_switch(world: World, phase: str) -> None:
    """In a script that hangs, or while instances start; the old release is still serving."""
    world.push()
    commit, asked = "b" * 40, []

    def cancel() -> None:
        asked.append(world.builds.info(ROOT, "shop", None).build)
        world.queue.ask_to_cancel(asked[-1].id, "alice")

    if phase == "predeploy":
        script = b'{"scripts": {"dokku": {"predeploy": "sleep 9"}}}'
        world.repository.contents[commit, "app.json"] = script
    if phase == "release":
        world.repository.procfiles[commit] = b"web: serve\nrelease: sleep 9\n"
    if phase == "start":
        world.probe.silent = True
        world.probe.meanwhile = cancel
    else:
        world.one_off.meanwhile = cancel
    with pytest.raises(PaasError, match="cancelled by alice"):
        world.push(commit=commit)

    assert {build.id for build in asked} == {world.store.builds.of_app(1)[0].id}
    app = world.store.apps.find("shop")
    assert app is not None and app.current == 1
    assert world.builds.info(ROOT, "shop", None).words == "cancelled"
    assert [release.status for release in world.store.releases.of_app(1)][-1] is Status.SUCCEEDED
    assert set(world.runtime.running) == {"1-v1-1-web.1"}
    assert not world.queue.requests


def test_a_build_that_is_being_released_is_waited_for(world: World) -> None:
    """It counts as succeeded already; the command returns when its deploy has ended."""
    build = a_build("1-2", "c" * 40)
    world.store.builds.add(build)
    world.locks.held[1] = "alice deploys"

    def end(_: float) -> None:
        assert world.queue.requests == {"1-2": "root"}
        now = world.clock.now()
        world.store.builds.end(
            replace(build, status=Status.FAILED, ended_at=now, reason="build-cancelled")
        )

    world.clock.sleep = end  # type: ignore[method-assign,assignment]
    assert world.builds.cancel(ROOT, "shop", None, world.progress).id == "1-2"
    assert not world.queue.requests


def test_cancelling_waits_for_the_end(world: World) -> None:
    """The command returns when the build has ended, and leaves no request behind."""
    build = replace(a_build("1-2", "c" * 40), status=Status.PENDING)
    world.store.builds.add(build)
    world.locks.held[1] = "alice deploys"

    def end(_: float) -> None:
        assert world.queue.requests == {"1-2": "root"}
        now = world.clock.now()
        ended = replace(build, status=Status.FAILED, ended_at=now, reason="build-cancelled")
        world.store.builds.end(ended)

    world.clock.sleep = end  # type: ignore[method-assign,assignment]
    assert world.builds.cancel(ROOT, "shop", None, world.progress).id == "1-2"
    assert not world.queue.requests


def test_too_late_to_cancel(world: World) -> None:
    """A build that succeeded goes live; one whose process died is not waited for."""
    world.push()
    with pytest.raises(PaasError, match="ended already: it succeeded"):
        world.builds.cancel(ROOT, "shop", None, world.progress)
    world.store.builds.add(replace(a_build("1-3", "c" * 40), status=Status.PENDING))
    with pytest.raises(PaasError, match="interrupted earlier"):
        world.builds.cancel(ROOT, "shop", "1-3", world.progress)


def test_a_build_that_goes_on_is_cancelled_later(world: World) -> None:
    """The command does not wait for ever; its word stays."""
    world.store.builds.add(replace(a_build("1-4", "c" * 40), status=Status.PENDING))
    world.locks.held[1] = "alice deploys"
    with pytest.raises(PaasError, match="ends before it goes live"):
        world.builds.cancel(ROOT, "shop", None, world.progress)
    assert world.queue.requests == {"1-4": "root"}


def test_following_ends_when_the_deploy_has(world: World, tmp_path: Path) -> None:
    """Lines that arrive meanwhile are shown, those before the stop too, cut ones whole."""
    path = tmp_path / "log"
    writes = iter([b"one\ntw", b"o\nthree\n", b"rest"])
    clock = FakeClock()
    polls = iter([False, False, False, True])

    def stop() -> bool:
        with path.open("ab") as file:
            file.write(next(writes, b""))
        return next(polls)

    assert list(lines_until(path, stop, clock)) == ["one", "two", "three", "rest"]


def test_a_cache_is_not_deleted_below_a_build(world: World) -> None:
    """It waits for the app's lock, which a deploy holds, and holds it while it deletes."""
    told: list[str] = []
    empty = world.slugs.empty_cache

    def emptied(app_id: int) -> None:
        told.append(world.locks.held[app_id])
        empty(app_id)

    world.slugs.caches[1] = 4096
    world.slugs.empty_cache = emptied  # type: ignore[method-assign]
    world.locks.held[1] = "alice deploys aaaaaaa"
    assert world.builds.purge_cache(ROOT, "shop", world.progress)[1] == 4096
    assert told == ["root purges the build cache"]
    assert any("alice deploys aaaaaaa" in line for line in world.progress.lines)


@pytest.mark.parametrize("word", ["repo:purge_cache", "repo:purge-cache"])
def test_the_names_of_others_for_it(word: str) -> None:
    """The names used by Heroku's plugin and by Dokku."""
    assert in_place(["-a", "shop", word]) == ["-a", "shop", "builds:cache:purge"]


@pytest.mark.parametrize("words", [["ports:unset", "-a", "shop"], ["ports:clear", "shop"]])
def test_the_port_is_taken_back(world: World, words: list[str]) -> None:
    """By names that people know from other commands and from Dokku."""
    for each in (["ports:set", "shop", "web=8080"], words):
        session = Session(all_services(world.adapters), ROOT, lambda: False, LocalCaller(), {})
        root.main(args=in_place(each), obj=session, standalone_mode=False)
        ports = world.image_builds.report(ROOT, "shop").port
        assert ports == (8080 if each[0] == "ports:set" else None)
