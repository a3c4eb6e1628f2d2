"""A database in an instance's throw-away layer is reported before the instance is replaced."""

from collections.abc import Callable

import pytest

from paas.domain.releases.losses import LostFile
from paas.domain.values.errors import PaasError
from paas.domain.values.names import VarName
from tests.fakes.world import ROOT, World

DATABASE = LostFile("/app/instance/app.db", 20_480, own_directory=True)


def _set(world: World) -> None:
    world.config.set(ROOT, "shop", {VarName("A"): "1"}, world.progress)


CHANGES: dict[str, Callable[[World], object]] = {
    "push": lambda world: world.push(commit="b" * 40),
    "config:set": _set,
    "ps:restart": lambda world: world.processes.restart(ROOT, "shop", ["web.1"], world.progress),
    "ps:scale": lambda world: world.processes.scale(ROOT, "shop", ["web=1"], world.progress),
    "ps:stop": lambda world: world.processes.stop(ROOT, "shop", ["web.2"], world.progress),
    "rollback": lambda world: world.releases.rollback(ROOT, "shop", 1, world.progress),
    "storage:add": lambda world: world.storage.add(ROOT, "shop", "/app/instance", world.progress),
}


@pytest.fixture
def shop(world: World) -> World:
    """An app with two releases, whose two instances have a database each."""
    world.app()
    world.push()
    _set_other(world)
    world.processes.scale(ROOT, "shop", ["web=2"], world.progress)
    world.progress.lines.clear()
    world.layers.everywhere = (DATABASE,)
    return world


def _set_other(world: World) -> None:
    world.config.set(ROOT, "shop", {VarName("OTHER"): "1"}, world.progress)


@pytest.mark.parametrize("change", CHANGES)
def test_each_change_names_file_and_remedy(shop: World, change: str) -> None:
    """Before it drops an instance; and where nobody objects it is made."""
    shop.progress.lines.clear()
    CHANGES[change](shop)
    told = "\n".join(shop.progress.lines)
    assert "has the database /app/instance/app.db (20 KiB) outside of any storage" in told
    assert "paas storage:add /app/instance" in told
    assert len(shop.progress.asked) == 1


@pytest.mark.parametrize("change", CHANGES)
def test_who_says_no_changes_nothing(shop: World, change: str) -> None:
    """No release, no formation, no stop and no instance is another."""

    def present() -> object:
        app = shop.store.apps.find("shop")
        assert app is not None
        releases = [(r.version, r.status) for r in shop.store.releases.of_app(app.id)]
        builds = len(shop.store.builds.of_app(app.id))
        formation, stopped = shop.store.formations.of_app(app.id), shop.store.stopped.of_app(app.id)
        return app, releases, builds, formation, stopped, dict(shop.runtime.running)

    before = present()
    shop.progress.agrees = False
    with pytest.raises(PaasError) as refused:
        CHANGES[change](shop)
    assert refused.value.reference == "not-confirmed"
    assert present() == before


def test_only_those_that_are_replaced_are_looked_at(shop: World) -> None:
    """To start more loses nothing, nor does a change without a restart."""
    shop.processes.scale(ROOT, "shop", ["web=3"], shop.progress)
    shop.config.set(ROOT, "shop", {VarName("A"): "2"}, shop.progress, restart=False)
    assert shop.progress.asked == []
    shop.processes.restart(ROOT, "shop", ["web.2"], shop.progress)
    told = "\n".join(shop.progress.lines)
    assert "web.2 has the database" in told
    assert "web.1 has the database" not in told
