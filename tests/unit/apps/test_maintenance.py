"""Locks against deploys, and the maintenance mode."""

from pathlib import Path

import pytest

from paas.domain.git.refs import RefUpdate
from paas.domain.routing.hosts import HostName
from paas.domain.values.errors import PaasError
from paas.domain.values.names import AppName, VarName
from paas.interfaces import Quarantine
from tests.fakes.world import ROOT, World

HOST = "shop.example.com"


def test_a_locked_app_refuses_deploys(world: World) -> None:
    """With who locked it and why; other branches are stored; afterwards deploys continue."""
    world.app()
    world.push()
    alice = world.user("alice")
    world.maintenance.lock(ROOT, "shop", "migration")
    with pytest.raises(PaasError, match=r"locked: by root since .* \(migration\)"):
        world.push(commit="b" * 40)
    push = [RefUpdate("0" * 40, "b" * 40, "refs/heads/main")]
    with pytest.raises(PaasError, match="locked"):
        world.pushes.receive(ROOT, 1, push, Quarantine(Path("/q")), world.progress)
    assert len(world.store.builds.of_app(1)) == 1
    other = [RefUpdate("0" * 40, "b" * 40, "refs/heads/topic")]
    world.pushes.receive(ROOT, 1, other, Quarantine(Path("/q")), world.progress)
    with pytest.raises(PaasError, match="already locked: by root"):
        world.maintenance.lock(ROOT, "shop", "")
    with pytest.raises(PaasError, match="no app"):
        world.maintenance.unlock(alice, "shop")
    assert world.maintenance.unlock(ROOT, "shop")
    assert not world.maintenance.unlock(ROOT, "shop")
    world.push(commit="b" * 40)


def test_what_keeps_an_app_from_being_as_usual_is_told(world: World) -> None:
    """apps:info says that it is locked or closed, and which folder it is built from."""
    app = world.app()
    found = world.apps.info(ROOT, "shop")
    assert (found.lock, found.maintenance, found.build_dir) == (None, False, None)
    made = world.maintenance.lock(ROOT, "shop", "")
    world.maintenance.set_maintenance(ROOT, "shop", True, world.progress)
    world.store.build_dirs.set(app.id, "web")
    found = world.apps.info(ROOT, "shop")
    assert (found.lock, found.maintenance, found.build_dir) == (made, True, "web")


def test_maintenance_closes_the_site_and_opens_it(world: World) -> None:
    """Instances run on; a deploy meanwhile leaves it on, with the page of the new release."""
    world.app()
    world.push()
    world.runtime.calls.clear()
    assert world.maintenance.set_maintenance(ROOT, "shop", True, world.progress)
    assert not world.maintenance.set_maintenance(ROOT, "shop", True, world.progress)
    site = world.proxy.by_app[1]
    assert (site.closed, site.page) == (True, None)
    assert world.runtime.calls == []
    assert not any("Maintenance mode" in line for line in world.progress.lines)
    world.push(commit="b" * 40)
    assert any("Maintenance mode is on" in line for line in world.progress.lines)
    slug = world.store.slugs.of_app(1)[0]
    world.slugs.pages.add(slug.id)
    world.reconcile.run(world.progress)
    site = world.proxy.by_app[1]
    assert site.page == Path("/slugs") / slug.id / "maintenance.html"
    assert world.maintenance.set_maintenance(ROOT, "shop", False, world.progress)
    assert not world.proxy.by_app[1].closed
    assert world.proxy.ports(HOST)


def test_a_page_that_is_set_goes_before_the_repository_s(world: World) -> None:
    """It is shown at once, outlives deploys, and goes when it is cleared or with the app."""
    world.app()
    world.push()
    world.slugs.pages.add(world.store.slugs.of_app(1)[0].id)
    world.maintenance.set_maintenance(ROOT, "shop", True, world.progress)
    world.maintenance.set_page(ROOT, "shop", b"<h1>Soon</h1>", world.progress)
    assert world.proxy.by_app[1].page == world.folder / "pages" / "1.html"
    world.push(commit="b" * 40)
    assert world.proxy.by_app[1].page == world.folder / "pages" / "1.html"
    assert world.maintenance.clear_page(ROOT, "shop", world.progress)
    assert world.proxy.by_app[1].page != world.folder / "pages" / "1.html"
    assert not world.maintenance.clear_page(ROOT, "shop", world.progress)
    world.maintenance.set_page(ROOT, "shop", b"<h1>Soon</h1>", world.progress)
    world.apps.destroy(ROOT, "shop", "shop", world.progress)
    assert world.pages.maintenance(1) is None


@pytest.mark.parametrize(
    "content", [b"", b" \n", b"\xff\xfe<h1>", b"x" * (1024**2 + 1), b"a" * 257 + b"ustar"]
)
def test_what_is_no_page_is_refused(world: World, content: bytes) -> None:
    """Nothing, too much, an archive, another encoding."""
    world.app()
    with pytest.raises(PaasError) as raised:
        world.maintenance.set_page(ROOT, "shop", content, world.progress)
    assert raised.value.reference == "maintenance-page"
    assert world.pages.maintenance(1) is None


def test_maintenance_before_the_first_deploy(world: World) -> None:
    """It is remembered; where the proxy refuses, it is as before."""
    world.app()
    assert world.maintenance.set_maintenance(ROOT, "shop", True, world.progress)
    world.push()
    assert world.proxy.by_app[1].closed
    world.proxy.failure = PaasError("proxy", "Nginx does not answer.")
    with pytest.raises(PaasError):
        world.maintenance.set_maintenance(ROOT, "shop", False, world.progress)
    assert world.maintenance.maintenance(ROOT, "shop")


def test_a_clone_has_config_and_formation(world: World) -> None:
    """And is deployed by a build of its own; the old one is left alone."""
    world.app()
    world.config.set(ROOT, "shop", {VarName("A"): "1"}, world.progress)
    world.push()
    world.processes.scale(ROOT, "shop", ["web=2"], world.progress)
    world.router.set(ROOT, "shop", "gzip", "on", world.progress)
    world.domains.add(ROOT, "shop", [HostName("shop.test")], world.progress)
    before = world.store.instances.of_app(1)
    app = world.cloning.clone(ROOT, "shop", AppName("copy"), world.progress)
    assert world.config.get(ROOT, "copy", VarName("A")).reveal() == "1"
    assert len(world.proxy.ports("copy.example.com") or ()) == 2
    assert world.store.slugs.of_app(app.id)[0].id != world.store.slugs.of_app(1)[0].id
    assert world.store.instances.of_app(1) == before
    assert world.proxy.by_app[app.id].settings.gzip
    assert list(world.proxy.by_app[app.id].hosts) == ["copy.example.com"]
    bare = world.cloning.clone(ROOT, "shop", AppName("bare"), world.progress, deploy=False)
    assert world.store.instances.of_app(bare.id) == []
    with pytest.raises(PaasError, match="taken"):
        world.cloning.clone(ROOT, "shop", AppName("copy"), world.progress)
