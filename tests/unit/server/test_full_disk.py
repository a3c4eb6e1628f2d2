"""A change that fails on a full disk is undone like any other; the reserve has room for that."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from paas.domain.git.sources import GitSource
from paas.domain.releases.releases import Status
from paas.domain.values.errors import PaasError, disk_full
from paas.domain.values.names import AppName, VarName
from paas.interfaces import Built, Quarantine
from paas.services.builds.build import Push
from paas.services.deploys.imports import Building
from paas.store.database import Table
from tests.fakes.output import FakeClock
from tests.fakes.world import ROOT, World

Change = Callable[[World], object]


def _set(world: World) -> None:
    world.config.set(ROOT, "shop", {VarName("A"): "1"}, world.progress)


CHANGES: dict[str, Change] = {
    "config:set": _set,
    "push": lambda world: world.push(commit="b" * 40),
    "ps:scale": lambda world: world.processes.scale(ROOT, "shop", ["web=2"], world.progress),
    "ps:stop": lambda world: world.processes.stop(ROOT, "shop", ["web"], world.progress),
    "storage:add": lambda world: world.storage.add(ROOT, "shop", "/app/data", world.progress),
}


@pytest.mark.parametrize("change", CHANGES)
def test_it_is_undone(world: World, monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    """After the first write the disk is full: only what has the reserve can be recorded."""
    world.app()
    world.push()
    app = world.store.apps.find("shop")

    def full(*_: object, **__: object) -> object:
        """The switch fails, and so does every later write without the reserve."""
        store = world.store
        for table, name in (
            (store.releases, "fail"),
            (store.builds, "end"),
            (store.formations, "set"),
            (store.stopped, "set"),
            (store.storage, "remove"),
        ):
            _guard(world, monkeypatch, table, name)
        raise disk_full()

    monkeypatch.setattr(world.store.releases, "make_current", full)
    with pytest.raises(PaasError, match="disk is full"):
        CHANGES[change](world)
    assert world.store.apps.find("shop") == app
    assert Status.PENDING not in {r.status for r in world.store.releases.of_app(1)}
    assert Status.PENDING not in {b.status for b in world.store.builds.of_app(1)}
    assert set(world.store.formations.of_app(1).values()) <= {1}
    assert not world.store.stopped.of_app(1)
    assert set(world.runtime.running) == {"1-v1-1-web.1"}


def _guard(world: World, monkeypatch: pytest.MonkeyPatch, table: Table, name: str) -> None:
    method = getattr(table, name)

    def guarded(*words: object, **named: object) -> object:
        if not world.reserve.is_given_up:
            raise disk_full()
        return method(*words, **named)

    monkeypatch.setattr(table, name, guarded)


def test_a_release_that_could_not_be_undone_is_by_the_next(world: World) -> None:
    """Without any reserve it stays pending, but not for longer than until the next roll-out."""
    world.app()
    world.push()
    now = world.clock.now()
    left = world.store.releases.add(
        1, slug_id=None, config={}, description="Set A", user="root", now=now
    )
    _set(world)
    found = world.store.releases.find(1, left.version)
    assert found is not None
    assert found.status is Status.FAILED


def test_a_push_to_a_full_disk_is_refused_before_it_is_sent(world: World) -> None:
    """And a first one makes no app."""
    world.slugs.full = True
    with pytest.raises(PaasError) as refused:
        world.pushes.to_push(ROOT, AppName("new"), world.progress)
    assert refused.value.reference == "disk-full"
    assert world.store.apps.find("new") is None


def test_the_last_of_the_disk_is_the_platforms(world: World) -> None:
    """Before it is all used, nothing is sent or fetched, and commands that free space work."""
    world.app()
    world.push()
    world.slugs.low = True
    source = GitSource("https://example.org/a.git", None)
    for call in (
        lambda: world.pushes.to_push(ROOT, AppName("shop"), world.progress),
        lambda: world.pushes.to_push(ROOT, AppName("new"), world.progress),
        lambda: world.imports.sync(ROOT, "shop", source, Building.NEVER, world.progress),
    ):
        with pytest.raises(PaasError) as refused:
            call()
        assert refused.value.reference == "disk-full"
    assert world.store.apps.find("new") is None
    world.pushes.to_fetch(ROOT, AppName("shop"))
    _set(world)
    world.builds.purge_cache(ROOT, "shop", world.progress)


def test_a_build_that_uses_the_last_of_the_disk_is_ended(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its push is rejected, and its files are gone."""
    world.app()
    build = world.builder.build

    def fills(*words: Any, **named: Any) -> Built:
        built = build(*words, **named)
        world.slugs.low = True
        return built

    monkeypatch.setattr(world.builder, "build", fills)
    with pytest.raises(PaasError, match="disk is full"):
        world.push()
    assert (world.slugs.building, world.slugs.frozen) == (set(), set())
    assert [build.status for build in world.store.builds.of_app(1)] == [Status.FAILED]


def test_git_has_the_reserve_until_it_has_moved_the_branch(world: World) -> None:
    """It does that last, when the new version is live, as an account with no part of the disk."""
    app = world.app()
    world.reserve.is_needed = True
    had: list[bool] = []

    class Clock(FakeClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            had.append(world.reserve.is_given_up)
            world.repository.heads["main"] = "a" * 40

    world.progress.when_live = lambda: had.append(world.reserve.is_given_up)
    deploys = replace(world.deploys, clock=Clock())
    deploys.deploy(Push(app, "a" * 40, Quarantine(Path("incoming")), ROOT), world.progress)
    assert had == [True, True]
    assert not world.reserve.is_given_up
