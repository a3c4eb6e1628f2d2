"""Promotions: the code of one app becomes a release of the next one, without a build."""

import pytest

from paas.domain.people.access import Grant, Holder
from paas.domain.people.permissions import AppRole
from paas.domain.releases.artifacts import Image
from paas.domain.releases.pipelines import PipelineName, Stage
from paas.domain.releases.releases import Release, Slug, Status
from paas.domain.values.errors import PaasError
from paas.domain.values.names import AppName, VarName
from tests.fakes.world import ROOT, World


@pytest.fixture
def line(world: World) -> World:
    """Alice's pipeline: staging, which is deployed, before two apps in production."""
    alice = world.user("alice")
    for name in ("staging", "shop", "shop-eu"):
        world.app(name, alice)
    world.push("staging", commit="b" * 40)
    world.pipelines.create(alice, PipelineName("line"), "staging", Stage.STAGING)
    for name in ("shop", "shop-eu"):
        world.pipelines.add(alice, "line", name, Stage.PRODUCTION)
    return world


def promote(world: World, *to: str, user: str = "alice") -> None:
    """Promote from staging."""
    world.promotions.promote(world.actor(user), "staging", to, world.progress)


def live(world: World, name: str) -> tuple[Release | None, Slug | None]:
    """What an app runs."""
    app = world.store.apps.find(name)
    assert app is not None
    release = world.store.releases.current(app)
    return release, world.store.slugs.of_release(release)


def test_the_next_stage_gets_the_code(line: World) -> None:
    """As a release and a slug of its own, with its own config; nothing is built."""
    line.config.set(ROOT, "shop", {VarName("A"): "own"}, line.progress)
    line.builder.failure = PaasError("build-failed", "Something is built.")
    promote(line)
    _, source = live(line, "staging")
    for name in ("shop", "shop-eu"):
        release, slug = live(line, name)
        assert release is not None
        assert slug is not None
        assert source is not None
        assert release.description == "Promote staging v1 (bbbbbbbb)"
        assert release.user == "alice"
        assert (slug.commit, slug.processes) == (source.commit, source.processes)
        assert slug.id != source.id
        assert slug.id in line.slugs.frozen
    release, _ = live(line, "shop")
    assert release is not None
    assert {name: value.reveal() for name, value in release.config.items()} == {"A": "own"}
    statuses = line.promotions.status(line.actor("alice"), "staging", 1)
    assert [(one.app.name, one.release.status) for one in statuses] == [
        ("shop", Status.SUCCEEDED),
        ("shop-eu", Status.SUCCEEDED),
    ]


def test_only_apps_that_are_named(line: World) -> None:
    """Whatever their stage; but not the source, and none of another pipeline."""
    promote(line, "shop-eu")
    assert live(line, "shop") == (None, None)
    assert live(line, "shop-eu")[0] is not None
    line.app("other", line.actor("alice"))
    for wrong in ("staging", "other"):
        with pytest.raises(PaasError) as refused:
            promote(line, "shop", wrong)
        assert refused.value.reference == "pipeline-target"
    assert live(line, "shop") == (None, None)


def test_nothing_comes_after_production(line: World) -> None:
    """Unless an app is named."""
    promote(line, "shop")
    with pytest.raises(PaasError, match="No stage comes after production"):
        line.promotions.promote(line.actor("alice"), "shop", (), line.progress)


@pytest.mark.parametrize("without", ["staging", "shop-eu"])
def test_all_of_the_apps_must_be_deployable(line: World, without: str) -> None:
    """Of the source the code is read; before any target is changed."""
    line.user("dora")
    for name in ("staging", "shop", "shop-eu"):
        app = line.store.apps.find(name)
        assert app is not None
        role = AppRole.VIEWER if name == without else AppRole.DEPLOYER
        line.store.grants.put(app.id, Grant(Holder("dora"), role), line.clock.now())
    with pytest.raises(PaasError) as refused:
        promote(line, user="dora")
    assert refused.value.reference == "needs-role"
    assert live(line, "shop") == (None, None)


def test_a_target_that_does_not_come_up(line: World) -> None:
    """It keeps what it ran, and the targets after it are left alone."""
    line.push("shop")
    before = live(line, "shop")
    line.push("staging", commit="c" * 40)
    line.probe.silent = True
    with pytest.raises(PaasError):
        promote(line)
    assert live(line, "shop") == before
    assert live(line, "shop-eu") == (None, None)
    assert any("Nothing was promoted to shop-eu." in text for text in line.progress.lines)


def test_a_slug_that_is_deleted_meanwhile(line: World) -> None:
    """A copy of it may lack files: nothing is released, and no part of it is left."""
    _, source = live(line, "staging")
    assert source is not None
    line.slugs.meanwhile = lambda: line.store.slugs.remove(source.id)
    with pytest.raises(PaasError) as refused:
        promote(line, "shop")
    assert refused.value.reference == "slug-pruned"
    assert live(line, "shop") == (None, None)
    app = line.store.apps.find("shop")
    assert app is not None
    (build,) = line.store.builds.of_app(app.id)
    assert build.status is Status.FAILED
    assert build.id not in line.slugs.building | line.slugs.frozen


def test_an_app_that_is_locked(line: World) -> None:
    """It is refused before the others are changed."""
    app = line.store.apps.find("shop-eu")
    assert app is not None
    line.maintenance.lock(line.actor("alice"), "shop-eu", "no deploys today")
    with pytest.raises(PaasError) as refused:
        promote(line)
    assert refused.value.reference == "app-locked"
    assert live(line, "shop") == (None, None)


def test_images_cannot_be_promoted(line: World) -> None:
    """They belong to slugs, and are deleted with them."""
    _, source = live(line, "staging")
    assert source is not None
    line.store.slugs.set_image(source.id, Image("sha256:1"))
    with pytest.raises(PaasError) as refused:
        promote(line, "shop")
    assert refused.value.reference == "promotion-of-containers"


def test_an_app_that_was_never_deployed(line: World) -> None:
    """There is nothing to promote."""
    made = line.app("empty", line.actor("alice"))
    line.pipelines.add(line.actor("alice"), "line", "empty", Stage.DEVELOPMENT)
    with pytest.raises(PaasError) as refused:
        line.promotions.promote(line.actor("alice"), "empty", (), line.progress)
    assert refused.value.reference == "not-deployed"
    assert AppName(made.name) == "empty"


def test_what_a_promotion_would_bring(line: World) -> None:
    """From what each target runs to what the source runs."""
    promote(line, "shop")
    (found,) = line.pipelines.differences(line.actor("alice"), "staging", ["shop"])
    assert (found.old, found.new) == ("shop v1", "staging v1")
    assert found.is_empty
