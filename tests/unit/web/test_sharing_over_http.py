"""Domains, collaborators, log drains and SSH keys over HTTP."""

from urllib.parse import quote

import pytest

from paas.domain.audit.views import AuditFilter
from paas.domain.people.users import Role
from tests.fakes.world import ROOT, World
from tests.unit.web.api_world import Api

KEY = (
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ2d5cW3tqR1mGO0nIvWRVJ6hmUXtNq4OzJvZ2BfrF2v alice@laptop"
)
DRAIN = "https://alice:s3cret@logs.example.net/in"


@pytest.fixture
def api(world: World) -> Api:
    """Alice has deployed an app, shop; Bob has an account."""
    world.user("alice")
    world.user("bob", Role.MEMBER)
    world.app("shop", world.actor("alice"))
    world.push()
    return Api(world)


def commands(api: Api) -> list[tuple[str, tuple[str, ...]]]:
    """What the audit trail has, oldest first."""
    events = api.world.audit.latest(ROOT, AuditFilter(), 100)
    return [(event.command, event.words) for event in events]


def test_domains(api: Api) -> None:
    """One that is not proven is pending, and the answer says what DNS has to say."""
    path = "/apps/shop/domains"
    made = api.ask("POST", path, {"hostname": "www.shop.example.net", "sni_endpoint": None})
    assert made.json is not None
    assert (made.status_code, made.json["kind"]) == (201, "custom")
    assert made.json["cname"] == "shop.example.com"
    assert made.json["status"] == "pending"
    assert "_paas.www.shop.example.net TXT" in made.headers["Warning-Message"]
    listed = api.ask("GET", path).json
    assert listed is not None
    assert {row["hostname"] for row in listed} == {"shop.example.com", "www.shop.example.net"}
    assert api.ask("DELETE", f"{path}/{made.json['id']}").status_code == 200
    again = api.ask("DELETE", f"{path}/www.shop.example.net")
    assert (again.status_code, again.json and again.json["id"]) == (404, "not_found")
    assert commands(api)[0] == ("domains:add", ("www.shop.example.net",))
    assert api.ask("POST", path, {"hostname": "not a name"}).status_code == 422
    unknown = {"hostname": "a.example.net", "sni_endpoint": "x"}
    assert api.ask("POST", path, unknown).status_code == 404


def test_collaborators(api: Api) -> None:
    """By the address that the account has here, or by name."""
    path = "/apps/shop/collaborators"
    made = api.ask("POST", path, {"user": "bob@example.com"})
    assert made.json is not None
    assert (made.status_code, made.json["role"]) == (201, "deployer")
    assert api.ask("GET", f"{path}/bob").json == made.json
    assert api.ask("GET", "/apps/shop", user="bob").status_code == 200
    assert api.ask("DELETE", f"{path}/bob@example.com").json == made.json
    assert api.ask("GET", "/apps/shop", user="bob").status_code == 404
    assert api.ask("DELETE", f"{path}/bob").status_code in (404, 422)
    nobody = api.ask("POST", path, {"user": "carol"})
    assert (nobody.status_code, nobody.json and nobody.json["id"]) == (404, "not_found")
    assert api.ask("POST", path, {"user": 7}).status_code == 422


def test_log_drains(api: Api) -> None:
    """Removed by the URL, which is a part of the path then. Nobody sees the password again."""
    path = "/apps/shop/log-drains"
    made = api.ask("POST", path, {"url": DRAIN})
    assert made.status_code == 201
    assert "s3cret" not in made.text
    assert api.ask("GET", path).json == [made.json]
    assert api.ask("DELETE", f"{path}/{quote(DRAIN, safe='')}").json == made.json
    assert api.ask("GET", path).json == []
    assert api.ask("DELETE", f"{path}/d.none").status_code == 404
    assert "s3cret" not in str(commands(api))


def test_keys(api: Api) -> None:
    """Of the account itself only: an admin sees no others here."""
    made = api.ask("POST", "/account/keys", {"public_key": KEY})
    assert made.json is not None
    assert made.status_code == 201
    assert api.ask("GET", "/account/keys").json == [made.json]
    assert api.ask("GET", "/account/keys", user="bob").json == []
    assert api.ask("DELETE", f"/account/keys/{made.json['id']}", user="bob").status_code == 404
    assert api.ask("DELETE", f"/account/keys/{made.json['id']}").json == made.json
    assert api.ask("GET", "/account/keys").json == []
    assert ("keys:add", ("alice",)) in commands(api)
