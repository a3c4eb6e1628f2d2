"""Datastores of apps over HTTP, as Heroku's CLI asks for them."""

from typing import Any

import pytest

from paas.domain.audit.views import AuditFilter
from paas.domain.people.access import Holder
from paas.domain.people.permissions import AppRole
from paas.domain.people.users import Role
from paas.domain.values.errors import PaasError
from tests.fakes.world import ROOT, World
from tests.unit.web.api_world import Api

NAME = "postgresql-quiet-otter-1234"
ADDON, ADDONS = f"/apps/shop/addons/{NAME}", "/apps/shop/addons"


@pytest.fixture
def api(world: World) -> Api:
    """Alice has deployed an app, shop; Bob has one, blog."""
    world.user("alice")
    world.user("bob", Role.MEMBER)
    world.app("shop", world.actor("alice"))
    world.app("blog", world.actor("bob"))
    world.push()
    return Api(world)


def create(api: Api, plan: str = "heroku-postgresql", **more: object) -> dict[str, Any]:
    """A new datastore of the shop's, as it is answered."""
    made = api.ask("POST", ADDONS, {"plan": {"name": plan}, "config": {}, **more})
    assert made.status_code == 201, made.text
    assert made.json is not None
    found: dict[str, Any] = made.json
    return found


def ask(api: Api, method: str, path: str, body: object = None, user: str = "alice") -> Any:
    """The JSON of an answer that is no error."""
    answer = api.ask(method, path, body, user=user)
    assert answer.status_code < 300, answer.text
    return answer.json


def test_creating_one(api: Api) -> None:
    """It is answered while it is being created; then it has its config vars and its figures."""
    made = create(api)
    assert (made["name"], made["state"]) == (NAME, "provisioning")
    found = ask(api, "GET", ADDON)
    assert (found["id"], found["state"]) == (made["id"], "provisioned")
    assert found["config_vars"][0] == "DATABASE_URL"
    assert found["plan"]["name"] == "heroku-postgresql:small"
    info = ask(api, "GET", f"/client/v11/databases/{found['id']}")
    rows = {row["name"]: row["values"] for row in info["info"]}
    assert rows["Status"] == ["Available"]
    assert rows["Connections"] == ["0/20"]
    assert info["resource_url"] == ask(api, "GET", "/apps/shop/config-vars")["DATABASE_URL"]
    waited = ask(api, "GET", f"/client/v11/databases/{found['id']}/wait_status")
    assert waited == {"message": "available", "waiting?": False}
    (event,) = api.world.audit.latest(ROOT, AuditFilter(), 1)
    assert (event.command, event.words) == ("addons:create", ("heroku-postgresql",))


def test_a_failure_while_nobody_waits(api: Api) -> None:
    """The app's log says why; the datastore is gone again."""
    api.world.datastore_server.fail = PaasError("datastore-down", "There is no memory for it.")
    assert create(api)["state"] == "provisioning"
    gone = api.ask("GET", ADDON)
    assert (gone.status_code, gone.json and gone.json["resource"]) == (404, "add_on")
    assert api.world.logs.lines[-1][1:] == (
        "addons",
        "No PostgreSQL was created and attached: There is no memory for it.",
    )


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"plan": "oracle"}, "not a kind of datastore"),
        ({"plan": "redis", "name": "mine"}, "names datastores itself"),
        ({"plan": "redis", "config": {"follow": "DATABASE"}}, "--follow"),
        ({"plan": {}}, "plan takes"),
    ],
)
def test_what_cannot_be_created(api: Api, body: object, words: str) -> None:
    """It is refused, and nothing is made."""
    refused = api.ask("POST", ADDONS, body)
    assert refused.status_code == 422
    assert words in refused.text
    assert ask(api, "GET", ADDONS) == []


def test_a_name_is_resolved(api: Api) -> None:
    """By name, id, service, plan, or attachment in an app; or to nothing."""
    made = create(api)
    path = "/actions/addons/resolve"
    in_app = [NAME, made["id"], "DATABASE", "DATABASE_URL", "heroku-postgresql"]
    asked: list[dict[str, Any]] = [{"addon": word, "app": "shop"} for word in in_app]
    for body in [*asked, {"addon": NAME, "app": None}, {"addon": "shop::DATABASE", "app": None}]:
        assert [row["id"] for row in ask(api, "POST", path, body)] == [made["id"]], body
    other = {"addon": NAME, "app": "shop", "addon_service": "heroku-redis"}
    missing: list[dict[str, Any]] = [{"addon": "DATABASE", "app": None}, other]
    for body in [*missing, {"addon": "x", "app": "shop"}]:
        assert api.ask("POST", path, body).status_code == 404, body
    assert api.ask("POST", path, {"addon": NAME, "app": None}, user="bob").status_code == 404
    path = "/actions/addon-attachments/resolve"
    url = {"addon_attachment": "DATABASE_URL", "app": "shop"}
    (found,) = ask(api, "POST", path, url)
    assert (found["name"], found["addon"]["name"]) == ("DATABASE", NAME)
    by_name = ask(api, "POST", path, {"addon_attachment": NAME, "app": "shop"})
    assert {row["name"] for row in by_name} >= {"DATABASE"}
    none = api.ask("POST", path, {"addon_attachment": "CACHE", "app": "shop"})
    assert (none.status_code, none.json and none.json["id"]) == (404, "not_found")


def test_attaching_and_detaching(api: Api) -> None:
    """An attachment has a name; who may not see the app of a datastore cannot attach it."""
    create(api)
    body = {"addon": {"name": NAME}, "app": {"name": "shop"}, "name": "STATS"}
    assert ask(api, "POST", "/addon-attachments", body)["name"] == "STATS"
    assert api.ask("POST", "/addon-attachments", body).status_code == 422
    theirs = {**body, "app": {"name": "blog"}}
    assert api.ask("POST", "/addon-attachments", theirs, user="bob").status_code == 404
    stats = ask(api, "GET", "/apps/shop/addon-attachments/STATS")
    assert ask(api, "DELETE", f"/addon-attachments/{stats['id']}")["name"] == "STATS"
    assert api.ask("GET", "/apps/shop/addon-attachments/STATS").status_code == 404
    assert "STATS_URL" not in ask(api, "GET", "/apps/shop/config-vars")


def test_promoting_one(api: Api) -> None:
    """As the CLI does it: by attaching it under the name that another has."""
    create(api)
    api.world.random_name = "loud-otter-1234"
    second = create(api)["name"]
    body = {"addon": {"name": second}, "app": {"name": "shop"}, "name": "DATABASE"}
    promoted = ask(api, "POST", "/addon-attachments", {**body, "confirm": "shop"})
    assert (promoted["name"], promoted["addon"]["name"]) == ("DATABASE", second)
    (event,) = api.world.audit.latest(ROOT, AuditFilter(), 1)
    assert event.command == "pg:promote"


def test_destroying_one(api: Api) -> None:
    """It is detached from its app first, but from no other."""
    made = create(api)
    shop, blog = api.world.actor("alice"), api.world.actor("bob")
    api.world.access.add(shop, "shop", Holder("bob"), AppRole.DEPLOYER)
    path = f"/apps/{made['app']['id']}/addons/{made['id']}"
    body = {"addon": {"name": NAME}, "app": {"name": "blog"}, "name": "STATS"}
    assert ask(api, "POST", "/addon-attachments", body, user="bob")["name"] == "STATS"
    kept = api.ask("DELETE", path)
    assert "is attached as STATS" in kept.text
    assert ask(api, "GET", ADDON)["config_vars"] != []
    api.world.attachments.detach(blog, "blog", ["STATS"], api.world.progress)
    gone = ask(api, "DELETE", path, {"force": False})
    assert gone["state"] == "deprovisioning"
    assert ask(api, "GET", ADDONS) == []
    assert "DATABASE_URL" not in ask(api, "GET", "/apps/shop/config-vars")
    assert api.ask("DELETE", path).status_code == 404


def test_backups(api: Api) -> None:
    """One is answered when it begins, and polled until it has ended; it has no public URL."""
    made = create(api)
    begun = ask(api, "POST", f"/client/v11/databases/{made['id']}/backups")
    assert begun["finished_at"] is None
    path = "/client/v11/apps/shop/transfers"
    ended = ask(api, "GET", f"{path}/{begun['uuid']}")
    assert ended["succeeded"]
    assert ended["from_name"] == NAME
    assert ask(api, "GET", path) == [ended]
    refused = api.ask("POST", f"{path}/{ended['num']}/actions/public-url")
    assert "pg:backups:download" in refused.text


def test_the_password_of_one(api: Api) -> None:
    """It is for those who may configure the app."""
    create(api)
    path = f"/postgres/v0/databases/{NAME}/credentials/default"
    found = ask(api, "GET", path)
    assert found["host"] == f"{NAME}.paas.internal"
    password = found["credentials"][0]["password"]
    assert password in ask(api, "GET", "/apps/shop/config-vars")["DATABASE_URL"]
    viewer = Holder("bob")
    api.world.access.add(api.world.actor("alice"), "shop", viewer, AppRole.VIEWER)
    assert api.ask("GET", path, user="bob").status_code == 403
    shown = ask(api, "GET", f"/client/v11/databases/{NAME}", user="bob")
    assert shown["resource_url"] == ""


def test_redis(api: Api) -> None:
    """Its figures, by name."""
    name = create(api, "heroku-redis")["name"]
    rows = ask(api, "GET", f"/redis/v0/databases/{name}")["info"]
    assert {"Status", "Version"} <= {row["name"] for row in rows}
    assert api.ask("GET", f"/client/v11/databases/{name}").status_code == 404
