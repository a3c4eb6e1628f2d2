"""An app's end is recorded before anything of it stops; what fails then is finished later."""

from operator import attrgetter
from typing import NoReturn

import pytest

from paas.domain.values.errors import PaasError, disk_full
from paas.domain.values.names import AppName
from paas.services.runs.runs import RunRequest
from tests.fakes.world import ROOT, World


@pytest.fixture
def shop(world: World) -> World:
    """An app that is live."""
    world.app()
    world.push()
    return world


def _fails(*_: object) -> NoReturn:
    raise disk_full()


def test_where_it_cannot_be_recorded_nothing_stops(
    shop: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a full disk the app is there and serves, as if nothing had been asked."""
    before = dict(shop.runtime.running)
    monkeypatch.setattr(shop.store.apps, "remove", _fails)
    with pytest.raises(PaasError, match="disk is full"):
        shop.apps.destroy(ROOT, "shop", "shop", shop.progress)
    assert shop.runtime.running == before
    assert shop.proxy.ports("shop.example.com") == (5000,)
    assert shop.store.apps.find("shop") is not None


@pytest.mark.parametrize(
    ("holder", "step"),
    [
        ("proxy", "remove"),
        ("runtime", "stop"),
        ("runs", "remove"),
        ("certificate_files", "all"),
        ("slugs", "remove_cache"),
        ("store.apps", "forget_destroyed"),
    ],
)
def test_what_fails_is_told_and_finished_by_reconcile(shop: World, holder: str, step: str) -> None:
    """Each step that fails leaves the others to be done, and the app is gone all the same."""
    setattr(attrgetter(holder)(shop), step, _fails)
    shop.apps.destroy(ROOT, "shop", "shop", shop.progress)
    told = "\n".join(shop.progress.lines)
    assert "not all of it is removed yet: The server's disk is full" in told
    assert "paas doctor --fix" in told
    assert shop.store.apps.find("shop") is None
    delattr(attrgetter(holder)(shop), step)
    assert shop.reconcile.run(shop.progress) == 1
    assert shop.runtime.running == {}
    assert shop.proxy.by_app == {}
    assert shop.slugs.frozen == set()
    assert shop.store.apps.destroyed() == []
    assert shop.reconcile.run(shop.progress) == 0


def test_a_step_that_fails_for_want_of_disk_is_tried_once_more(shop: World) -> None:
    """When the app's files are gone there is room: the proxy takes the change then."""
    remove = shop.proxy.remove
    failed: list[int] = []

    def fails_once(app_id: int) -> None:
        if not failed:
            failed.append(app_id)
            raise disk_full()
        remove(app_id)

    shop.proxy.remove = fails_once  # type: ignore[method-assign]
    shop.apps.destroy(ROOT, "shop", "shop", shop.progress)
    assert shop.proxy.by_app == {}
    assert shop.store.apps.destroyed() == []
    assert not any("not all" in line for line in shop.progress.lines)


def test_what_frees_space_has_the_reserve(shop: World) -> None:
    """Destroying, removing storage, purging a cache, and the start of a one-off process."""
    had: list[bool] = []

    def note(*_: object) -> None:
        had.append(shop.reserve.is_given_up)

    shop.storage.add(ROOT, "shop", "/app/data", shop.progress)
    shop.proxy.meanwhile = note
    shop.storage.remove(ROOT, "shop", "/app/data", "shop", shop.progress)
    shop.slugs.caches[1] = 4096
    assert shop.builds.purge_cache(ROOT, "shop", shop.progress)[1] == 4096
    assert shop.slugs.caches == {}
    shop.app_runs.detach(ROOT, "shop", RunRequest(["true"], {}))
    shop.runtime.stop = note  # type: ignore[assignment,method-assign]
    shop.apps.destroy(ROOT, "shop", "shop", shop.progress)
    assert had == [True, True]
    assert shop.reserve.times == 4
    assert not shop.reserve.is_given_up


def test_its_uid_is_nobodys_until_all_is_removed(world: World) -> None:
    """A new app would share files and processes with what is left of the old one."""
    made = [world.app(f"app{number}") for number in range(8)]  # the whole range
    world.store.apps.remove(made[0].id)
    with pytest.raises(PaasError, match="All uids"):
        world.app("next")
    world.reconcile.run(world.progress)
    assert world.app("next").uid == made[0].uid


def test_an_app_that_could_not_be_made_leaves_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither an app nor the duty to remove one."""
    monkeypatch.setattr(world.repository, "create", _fails)
    with pytest.raises(PaasError, match="disk is full"):
        world.apps.create(ROOT, AppName("shop"))
    assert world.store.apps.all() == []
    assert world.store.apps.destroyed() == []
