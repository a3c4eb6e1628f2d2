"""The datastores that app.json asks for, over fakes."""

import json

import pytest

from paas.domain.datastores.datastores import DatastoreState
from paas.domain.datastores.kinds import AttachmentName, DatastoreKind
from paas.domain.datastores.plans import SMALL
from paas.domain.releases.releases import State
from paas.domain.values.errors import PaasError
from paas.domain.values.names import VarName
from paas.services.builds.build import Push
from tests.fakes.runtime import Behaviour
from tests.fakes.world import ROOT, World
from tests.unit.datastores.test_datastores import NAME, refused

COMMIT = "a" * 40


def declare(world: World, *addons: object, commit: str = COMMIT, **more: object) -> None:
    """The commit's app.json asks for these."""
    content = json.dumps({"addons": addons, **more})
    world.repository.contents[commit, "app.json"] = content.encode()


def told(world: World) -> list[str]:
    """The warnings so far."""
    return [text[7:] for text in world.progress.lines if text.startswith(" !     ")]


def test_it_is_made_at_the_first_deploy(world: World) -> None:
    """And never again, also after it was destroyed."""
    world.app()
    declare(world, "heroku-postgresql:essential-0")
    world.push()
    (made,) = world.store.datastores.all()
    assert (made.name, made.plan) == (NAME, SMALL)
    assert world.environment()["DATABASE_URL"] == made.url.reveal()
    assert len(world.datastore_clients.clients) == 1
    world.push()
    for one in world.store.datastores.attachments():
        world.attachments.detach(ROOT, "shop", [one.name], world.progress)
    world.datastores.destroy(ROOT, "shop", NAME, NAME, world.progress)
    world.push()
    assert world.store.datastores.all() == []


def test_its_url_may_be_required(world: World) -> None:
    """By the env of the same file."""
    world.app()
    declare(world, {"plan": "postgresql", "as": "STATS"}, env={"STATS_URL": {}})
    world.push()
    assert world.environment()["STATS_URL"].startswith("postgresql://")


def test_a_rejected_push_makes_no_second_one(world: World) -> None:
    """What it made is there, and told; the next push uses it."""
    app = world.app()
    declare(world, "heroku-postgresql")
    world.runtime.behaviours["serve"] = Behaviour(State.CRASHED, exits=1)
    with pytest.raises(PaasError):
        world.push()
    assert [one.app_id for one in world.store.datastores.all()] == [app.id]
    assert any("stay for the next one" in text for text in world.progress.lines)
    del world.runtime.behaviours["serve"]
    world.push()
    (made,) = world.store.datastores.all()
    assert world.environment()["DATABASE_URL"] == made.url.reveal()


@pytest.mark.parametrize(
    "state", [DatastoreState.READY, DatastoreState.PENDING, DatastoreState.REMOVED]
)
def test_a_push_that_was_killed(world: World, state: DatastoreState) -> None:
    """One that was finished is attached by the next push; what is half made is removed."""
    world.app()
    order = (DatastoreKind.POSTGRESQL, SMALL)
    made = world.datastores.create(ROOT, "shop", order, None, world.progress)
    world.store.datastores.detach(world.store.datastores.attachments())
    world.store.datastores.set_state(made.name, state)
    declare(world, "heroku-postgresql")
    world.push()
    (found,) = world.store.datastores.all()
    assert (found.id == made.id) is (state is DatastoreState.READY)
    assert world.environment()["DATABASE_URL"] == found.url.reveal()


def test_what_the_app_has_is_not_made(world: World) -> None:
    """By an attachment, or a config var that was set before the first push."""
    world.app()
    world.config.set(ROOT, "shop", {VarName("DATABASE_URL"): "postgresql://h/d"}, world.progress)
    declare(world, "heroku-postgresql", {"plan": "heroku-postgresql", "as": "STATS"})
    order = (DatastoreKind.POSTGRESQL, SMALL)
    world.datastores.create(ROOT, "shop", order, AttachmentName("STATS"), world.progress)
    world.push()
    assert len(world.store.datastores.all()) == 1
    assert world.environment()["DATABASE_URL"] == "postgresql://h/d"


def test_one_attached_before_counts_once(world: World) -> None:
    """A second add-on of its kind is still made."""
    world.app()
    order = (DatastoreKind.POSTGRESQL, SMALL)
    world.datastores.create(ROOT, "shop", order, None, world.progress)
    declare(world, "heroku-postgresql", "heroku-postgresql")
    with refused(world, "datastore-taken"):  # the same random name
        world.push()


def test_only_root_has_it_installed(world: World) -> None:
    """A push of a user is refused before anything is made, with the command for root."""
    alice = world.user("alice")
    app = world.app(actor=alice)
    declare(world, "heroku-postgresql")
    world.datastore_server.has_programs = False
    with refused(world, "datastore-not-installed") as caught:
        world.deploys.deploy(Push(app, COMMIT, None, alice), world.progress)
    assert "apt-get install postgresql" in str(caught.value.hint)
    assert world.store.datastores.all() == []
    world.push()
    assert "DATABASE_URL" in world.environment()


def test_a_kind_that_is_not_here(world: World) -> None:
    """Is told with its place, and the push goes on."""
    world.app()
    declare(world, "papertrail")
    world.push()
    start = "app.json, line 1, column 13: this server does not offer the add-on papertrail."
    assert any(text.startswith(start) for text in told(world))


@pytest.mark.parametrize(
    "addon", ["postgresql:huge-9x!", {"plan": "postgresql", "as": "stats_url"}]
)
def test_a_mistake_refuses_the_push(world: World, addon: object) -> None:
    """With its place."""
    world.app()
    declare(world, "postgresql", addon)
    with refused(world, "app-json") as caught:
        world.push()
    assert caught.value.message.startswith("app.json, line 1, column 27: ")
    assert world.store.datastores.all() == []


def test_one_that_a_later_commit_asks_for_is_told(world: World) -> None:
    """Once, with the command that makes it."""
    world.app()
    world.push()
    other = "b" * 40
    declare(world, {"plan": "heroku-postgresql", "as": "STATS"}, commit=other)
    for count in (1, 1):
        world.push(commit=other)
        found = [text for text in told(world) if "--as STATS" in text]
        assert len(found) == count
    assert world.store.datastores.all() == []


def test_the_version_that_it_wants(world: World) -> None:
    """There is the distribution's alone; another is reported."""
    world.app()
    declare(world, {"plan": "postgresql", "options": {"version": "17"}})
    world.push()
    assert any("is 15, not 17." in text for text in told(world))
