"""Pipelines: who sees and changes them, and what becomes of them."""

import pytest

from paas.domain.people.access import Grant, Holder
from paas.domain.people.actors import Actor, Scope
from paas.domain.people.permissions import AppRole
from paas.domain.people.users import Role
from paas.domain.releases.pipelines import PipelineName, Stage, pipeline_name, stage_of
from paas.domain.values.errors import PaasError
from paas.domain.values.names import UserName
from tests.fakes.world import World

LINE = PipelineName("line")


@pytest.fixture
def line(world: World) -> World:
    """Alice's pipeline with two apps; Bob may deploy one of them."""
    alice = world.user("alice")
    world.user("bob")
    world.user("carol", Role.ADMIN)
    staging = world.app("staging", alice)
    world.app("shop", alice)
    world.app("blog", world.actor("bob"))
    grant = Grant(Holder("bob"), AppRole.DEPLOYER)
    world.store.grants.put(staging.id, grant, world.clock.now())
    world.pipelines.create(alice, LINE, "staging", Stage.STAGING)
    world.pipelines.add(alice, LINE, "shop", Stage.PRODUCTION)
    return world


def refusal(world: World, user: str, method: str, *arguments: object) -> str:
    """The reference of the error."""
    with pytest.raises(PaasError) as refused:
        getattr(world.pipelines, method)(world.actor(user), *arguments)
    return refused.value.reference


@pytest.mark.parametrize("name", ["shop", "shop-2", "ab", "a" * 30])
def test_names(name: str) -> None:
    """As Heroku has them."""
    assert pipeline_name(name) == name


@pytest.mark.parametrize("name", ["", "a", "Shop", "-a", "a-", "a" * 31, "a\n", "a b", "#1"])
def test_what_is_no_name(name: str) -> None:
    """It is refused."""
    with pytest.raises(PaasError):
        pipeline_name(name)
    with pytest.raises(PaasError):
        stage_of(name)


def test_the_order_of_stages() -> None:
    """Nothing comes after production, nor after review."""
    assert [stage.following for stage in Stage] == [
        *(None, Stage.STAGING, Stage.PRODUCTION, None),
    ]


def test_who_sees_what(line: World) -> None:
    """The owner and admins all of it; others what has their apps, and those apps only."""
    for user in ("alice", "carol"):
        (found,) = line.pipelines.listing(line.actor(user))
        assert len(found.apps) == 2
    (found,) = line.pipelines.listing(line.actor("bob"))
    assert [line.pipelines.app(one).name for one in found.apps] == ["staging"]
    line.user("mallory")
    assert line.pipelines.listing(line.actor("mallory")) == []
    assert refusal(line, "mallory", "find", "line") == "no-such-pipeline"
    assert refusal(line, "mallory", "find", "none") == "no-such-pipeline"
    limited = Actor(line.actor("alice").user, Scope(None, AppRole.VIEWER))
    assert len(line.pipelines.find(limited, "line").apps) == 2


def test_who_changes_it(line: World) -> None:
    """Its owner and admins; but who configures an app can take that out."""
    assert refusal(line, "bob", "add", "line", "blog", Stage.PRODUCTION) == "pipeline-owner"
    assert refusal(line, "bob", "destroy", "line") == "pipeline-owner"
    assert refusal(line, "bob", "remove", "shop") == "no-such-app"
    line.pipelines.remove(line.actor("bob"), "staging")
    assert refusal(line, "bob", "find", "line") == "no-such-pipeline"
    line.pipelines.add(line.actor("carol"), "line", "blog", Stage.DEVELOPMENT)
    (place,) = line.pipelines.find(line.actor("bob"), "line").apps
    assert place.stage is Stage.DEVELOPMENT


def test_a_limited_token_creates_none(line: World) -> None:
    """It would be its user's after the token has expired."""
    limited = Actor(line.actor("alice").user, Scope(None, AppRole.DEPLOYER))
    with pytest.raises(PaasError) as refused:
        line.pipelines.create(limited, PipelineName("new"), "shop", Stage.STAGING)
    assert refused.value.reference == "token-limited"


def test_an_app_has_one_pipeline(line: World) -> None:
    """In one stage, which can be changed."""
    alice = line.actor("alice")
    assert refusal(line, "alice", "create", LINE, None, Stage.STAGING) == "pipeline-taken"
    line.pipelines.create(alice, PipelineName("other"), None, Stage.STAGING)
    assert refusal(line, "alice", "add", "other", "shop", Stage.STAGING) == "pipeline-other"
    former = line.pipelines.of_app(alice, "shop")[1]
    changed = line.pipelines.add(alice, "line", "shop", Stage.DEVELOPMENT)
    assert (changed.id, changed.stage) == (former.id, Stage.DEVELOPMENT)
    assert refusal(line, "bob", "of_app", "blog") == "no-pipeline"


def test_what_is_gone_is_no_longer_in_it(line: World) -> None:
    """An app that is destroyed, and an owner who is removed, whom no namesake inherits from."""
    alice = line.actor("alice")
    line.apps.destroy(alice, "shop", "shop", line.progress)
    assert len(line.pipelines.find(alice, "line").apps) == 1
    line.apps.destroy(alice, "staging", "staging", line.progress)
    line.users.remove(line.actor("carol"), UserName("alice"))
    assert line.pipelines.listing(line.user("alice")) == []
    assert line.pipelines.find(line.actor("carol"), "line").owner is None
    line.pipelines.destroy(line.actor("carol"), "line")
    assert line.pipelines.listing(line.actor("carol")) == []
