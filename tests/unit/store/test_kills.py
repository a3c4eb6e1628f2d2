"""What a kill in the middle of a change leaves in the store: all of a record, or nothing."""

import os
import signal
from collections.abc import Callable

import pytest

from paas.domain.releases.releases import Build, Status
from paas.domain.values.errors import PaasError, disk_full
from paas.domain.values.names import VarName
from paas.store.database import Table
from tests.fakes.world import ROOT, World


def kill_during(
    world: World, table: Table, name: str, change: Callable[[World], object], status: str = ""
) -> None:
    """Make the change in another process, which is killed when it calls that method.

    status: only with a build of that status.
    """
    method = getattr(table, name)

    def killed(*words: object, **named: object) -> object:
        if not status or any(isinstance(x, Build) and x.status == status for x in words):
            os.kill(os.getpid(), signal.SIGKILL)
        return method(*words, **named)

    child = os.fork()
    if child == 0:
        try:
            setattr(table, name, killed)
            change(world)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def set_config(world: World) -> None:
    """A config change that starts nothing."""
    world.config.set(ROOT, "shop", {VarName("A"): "1"}, world.progress, restart=False)


def test_config_without_a_restart(world: World) -> None:
    """A release that is not current was never there: nobody would roll it out."""
    world.app()
    world.push()
    before = world.store.releases.of_app(1)
    kill_during(world, world.store.releases, "make_current", set_config)
    assert world.store.releases.of_app(1) == before
    set_config(world)
    assert [release.version for release in world.store.releases.of_app(1)] == [2, 1]


def test_config_without_a_restart_that_fails(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is left of it either, and the terminal says so."""
    world.app()
    world.push()
    before = world.store.releases.of_app(1)

    def full(*_: object) -> None:
        raise disk_full()

    monkeypatch.setattr(world.store.releases, "make_current", full)
    with pytest.raises(PaasError, match="disk is full"):
        set_config(world)
    assert world.store.releases.of_app(1) == before
    assert any("The config is unchanged" in line for line in world.progress.lines)


def deploy_to_a_full_disk(world: World) -> None:
    """It fails before the switch, so that the slug is made and then removed."""
    world.slugs.disk_failure = disk_full()
    world.push(commit="b" * 40)


@pytest.mark.parametrize(("noun", "name"), [("slugs", "remove"), ("builds", "end")])
def test_a_deploy_that_failed(world: World, noun: str, name: str) -> None:
    """No build has succeeded whose slug is gone."""
    world.app()
    world.push()
    status = Status.FAILED if noun == "builds" else ""
    kill_during(world, getattr(world.store, noun), name, deploy_to_a_full_disk, status)
    build = world.store.builds.of_app(1)[0]
    assert build.commit == "b" * 40
    assert (world.store.slugs.find(build.id) is not None) == (build.status is Status.SUCCEEDED)


def test_a_full_disk_without_a_reserve(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files of the slug give their space to the record."""
    world.app()
    world.push()
    end = world.store.builds.end

    def needs_space(build: Build) -> None:
        if build.status is Status.FAILED and build.id in world.slugs.frozen:
            raise disk_full()
        end(build)

    monkeypatch.setattr(world.store.builds, "end", needs_space)
    with pytest.raises(PaasError, match="disk is full"):
        deploy_to_a_full_disk(world)
    build = world.store.builds.of_app(1)[0]
    assert build.status is Status.FAILED
    assert world.store.slugs.find(build.id) is None
