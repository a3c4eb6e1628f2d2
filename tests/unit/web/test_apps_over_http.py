"""A session with the API on a world in memory: apps, config, releases, formation, tokens."""

from datetime import UTC, datetime

import pytest

from paas.domain.audit.events import Event
from paas.domain.audit.views import AuditFilter
from paas.domain.values.names import VarName
from paas.domain.values.secret import Secret
from tests.fakes.world import ROOT, World
from tests.unit.web.api_world import Api

VIA = "token:Ab12Cd34 https"


@pytest.fixture
def api(world: World) -> Api:
    """Alice has deployed an app, shop."""
    world.user("alice")
    world.app("shop", world.actor("alice"))
    world.push()
    return Api(world)


def recorded(api: Api) -> list[Event]:
    """What the audit trail has, oldest first."""
    return api.world.audit.latest(ROOT, AuditFilter(), 100)


def test_create_rename_and_destroy(api: Api) -> None:
    """With a name or without; the trail has each, under the names of the commands."""
    made = api.ask("POST", "/apps", {"name": "store", "region": "us"})
    assert (made.status_code, made.json and made.json["name"]) == (201, "store")
    assert api.ask("POST", "/apps", {}).status_code == 201
    taken = api.ask("POST", "/apps", {"name": "store"})
    assert (taken.status_code, taken.json and taken.json["id"]) == (422, "invalid_params")
    renamed = api.ask("PATCH", "/apps/store", {"name": "market"})
    assert renamed.json is not None
    assert renamed.json["web_url"] == "http://market.example.com/"
    shut = api.ask("PATCH", "/apps/market", {"maintenance": True})
    assert shut.json is not None
    assert shut.json["maintenance"] is True
    assert api.ask("DELETE", f"/apps/{renamed.json['id']}").status_code == 200
    assert api.ask("GET", "/apps/market").status_code == 404
    assert [(e.command, e.app, str(e.state), e.via) for e in recorded(api)] == [
        ("apps:create", "store", "done", VIA),
        ("apps:create", api.world.random_name, "done", VIA),
        ("apps:create", "store", "failed", VIA),
        ("apps:rename", "market", "done", VIA),
        ("maintenance:on", "market", "done", VIA),
        ("apps:destroy", "market", "done", VIA),
    ]


@pytest.mark.parametrize(
    "body",
    [
        {"name": 1},
        {"name": "A b"},
        {"region": "eu"},
        {"stack": {"name": "heroku-24"}},
        {"personal": True},
        {"name": "a\0b"},
    ],
)
def test_apps_that_cannot_be(api: Api, body: object) -> None:
    """Wrong types, names and places; what is not known is not ignored."""
    refused = api.ask("POST", "/apps", body)
    assert (refused.status_code, refused.json and refused.json["id"]) == (422, "invalid_params")


def test_config_vars(api: Api) -> None:
    """Set and removed in one release, which is there when the answer comes."""
    path = "/apps/shop/config-vars"
    assert api.ask("PATCH", path, {"A": "1", "B": "two words"}).json == {"A": "1", "B": "two words"}
    assert api.ask("PATCH", path, {"A": None, "C": ""}).json == {"B": "two words", "C": ""}
    assert api.ask("PATCH", path, {"C": None}).json == {"B": "two words"}
    assert api.ask("GET", path).json == {"B": "two words"}
    newest = api.ask(
        "GET", "/apps/shop/releases", headers={"Range": "version ..; order=desc,max=1"}
    )
    assert newest.status_code == 206
    assert newest.json is not None
    assert [(row["version"], row["current"]) for row in newest.json] == [(4, True)]
    assert api.ask("GET", "/apps/shop/releases/v2/config-vars").json == {
        "A": "1",
        "B": "two words",
    }
    assert [event.words for event in recorded(api)] == [("A", "B"), ("C", "--unset", "A"), ("C",)]


def test_a_config_that_fails_is_told_by_its_release(api: Api) -> None:
    """The change was accepted: the client has its answer before the instances start."""
    api.world.probe.silent = True
    answer = api.ask("PATCH", "/apps/shop/config-vars", {"A": "1"})
    assert answer.json == {"A": "1"}
    newest = api.ask("GET", "/apps/shop/releases/2").json
    assert newest is not None
    assert (newest["status"], newest["current"]) == ("failed", False)
    assert api.ask("GET", "/apps/shop/config-vars").json == {}
    assert [str(event.state) for event in recorded(api)] == ["failed"]


def test_config_vars_of_a_release_that_is_being_rolled_out(api: Api) -> None:
    """What a change was answered with is what is asked for next; a failure takes it back."""
    path = "/apps/shop/config-vars"
    releases = api.world.store.releases
    (shop,) = [app for app in api.world.store.apps.all() if app.name == "shop"]
    pending = releases.add(
        shop.id,
        slug_id=None,
        config={VarName("A"): Secret("1")},
        description="Set A",
        user="alice",
        now=datetime.now(UTC),
    )
    assert api.ask("GET", path).json == {"A": "1"}

    releases.fail(shop.id, pending.version)
    assert api.ask("GET", path).json == {}


@pytest.mark.parametrize("body", [{"A": 1}, {"1A": "x"}, {"PORT": "1"}, ["A"], {"A": {"b": "c"}}])
def test_config_vars_that_cannot_be(api: Api, body: object) -> None:
    """Before anything changes."""
    assert api.ask("PATCH", "/apps/shop/config-vars", body).status_code == 422
    assert api.ask("GET", "/apps/shop/releases").json is not None
    assert len(api.ask("GET", "/apps/shop/releases").json or []) == 1


def test_releases_and_rollback(api: Api) -> None:
    """By version, and by id as Heroku's clients send it."""
    api.ask("PATCH", "/apps/shop/config-vars", {"A": "1"})
    first = api.ask("GET", "/apps/shop/releases/v1").json
    assert first is not None
    assert first["eligible_for_rollback"]
    made = api.ask("POST", "/apps/shop/releases", {"release": first["id"]})
    assert (made.status_code, made.json and made.json["version"]) == (201, 3)
    assert api.ask("GET", "/apps/shop/config-vars").json == {}
    assert api.ask("POST", "/apps/shop/releases", {"release": "v2"}).status_code == 201
    assert api.ask("POST", "/apps/shop/releases", {"release": "v99"}).status_code == 404
    assert api.ask("POST", "/apps/shop/releases", {"release": "x"}).status_code == 404
    assert api.ask("POST", "/apps/shop/releases", {}).status_code == 422


def test_formation_and_dynos(api: Api) -> None:
    """Quantities as texts, as changes, and as numbers."""
    path = "/apps/shop/formation"
    for quantity, wanted in (("2", 2), ("+1", 3), ("-2", 1), (2, 2)):
        updates = [{"type": "web", "quantity": quantity}]
        answer = api.ask("PATCH", path, {"updates": updates})
        assert answer.json is not None, answer.text
        assert [(row["type"], row["quantity"]) for row in answer.json] == [("web", wanted)]
    dynos = api.ask("GET", "/apps/shop/dynos").json
    assert dynos is not None
    assert [(dyno["name"], dyno["state"]) for dyno in dynos] == [("web.1", "up"), ("web.2", "up")]
    assert api.ask("GET", f"/apps/shop/dynos/{dynos[1]['id']}").json == dynos[1]
    restarted = api.ask("DELETE", "/apps/shop/dynos/web.1")
    assert (restarted.status_code, restarted.json) == (202, {})
    assert api.ask("POST", "/apps/shop/dynos/web.2/actions/stop").status_code == 202
    states = {dyno["name"]: dyno["state"] for dyno in api.ask("GET", "/apps/shop/dynos").json or []}
    assert states == {"web.1": "up", "web.2": "down"}
    sized = api.ask("PATCH", f"{path}/web", {"size": "Standard-2X"})
    assert sized.json is not None
    assert sized.json["size"] == "Standard-2X"


@pytest.mark.parametrize(
    "updates",
    [
        None,
        {},
        [1],
        [{"quantity": 1}],
        [{"type": "web", "quantity": "two"}],
        [{"type": "web", "quantity": -1}],
        [{"type": "web", "quantity": True}],
        [{"type": "web=1", "quantity": "1"}],
        [{"type": "other", "quantity": "1"}],
        [{"type": "web", "size": "huge"}],
        [{"type": "web", "size": 1}],
        [{"type": "web", "docker_image": "x"}],
    ],
)
def test_formations_that_cannot_be(api: Api, updates: object) -> None:
    """Nothing changes."""
    assert api.ask("PATCH", "/apps/shop/formation", {"updates": updates}).status_code == 422


def test_tokens(api: Api) -> None:
    """Their text is shown when they are made; Heroku's CLI finds its own by the beginning."""
    body = {"description": "a laptop", "scope": ["global"], "expires_in": 3600}
    made = api.ask("POST", "/oauth/authorizations", body).json
    assert made is not None
    text = made["access_token"]["token"]
    listed = api.ask("GET", "/oauth/authorizations").json
    assert listed is not None
    (shown,) = listed
    assert text.startswith(shown["access_token"]["token"].removesuffix("*" * 10))
    assert (shown["id"], shown["description"]) == (made["id"], "a laptop")
    assert api.ask("DELETE", f"/oauth/authorizations/{made['id']}").status_code == 200
    assert api.ask("GET", "/oauth/authorizations").json == []
    gone = api.ask("GET", "/oauth/authorizations/~").json
    assert gone is not None
    assert gone["resource"] == "authorization"
