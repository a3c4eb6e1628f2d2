"""What every endpoint does alike: who asks, what is sent, what is answered."""

import base64

import pytest

from tests.fakes.world import World
from tests.unit.web.api_world import Api


@pytest.fixture
def api(world: World) -> Api:
    """Alice has an app, shop."""
    world.user("alice")
    world.app("shop", world.actor("alice"))
    return Api(world)


def test_a_token_either_way(api: Api) -> None:
    """As a bearer token, or as the password of any user."""
    basic = base64.b64encode(b"anything:alice").decode()
    for login in ("Bearer alice", f"Basic {basic}"):
        answer = api.ask("GET", "/account", headers={"Authorization": login})
        assert answer.status_code == 200
        assert answer.json is not None
        assert answer.json["email"] == "alice@example.com"
        assert answer.headers["Request-Id"]


@pytest.mark.parametrize("login", ["", "Bearer", "Bearer ", "Digest x", "Basic Og==", "Basic ?"])
def test_no_token(api: Api, login: str) -> None:
    """As JSON, with the header that makes a client ask for one."""
    answer = api.ask("GET", "/account", headers={"Authorization": login})
    assert answer.status_code == 401
    assert answer.json is not None
    assert answer.json["id"] == "unauthorized"
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")


def test_what_is_not_there(api: Api) -> None:
    """A path, a method, an app: always JSON."""
    for method, path in (("GET", "/nothing"), ("POST", "/account"), ("GET", "/apps/other")):
        answer = api.ask(method, path)
        assert answer.status_code == 404
        assert answer.json is not None
        assert answer.json["id"] == "not_found"


def test_an_app_by_its_id(api: Api) -> None:
    """The same answer as by its name."""
    by_name = api.ask("GET", "/apps/shop").json
    assert by_name is not None
    assert by_name["web_url"] == "http://shop.example.com/"
    assert by_name["git_url"] == "https://git.example.com/shop.git"
    assert api.ask("GET", f"/apps/{by_name['id']}").json == by_name
    listed = api.ask("GET", "/users/~/apps").json
    assert listed == [by_name]


@pytest.mark.parametrize(
    "header",
    [
        {"Origin": "https://evil.example.org"},
        {"Origin": "null"},
        {"Origin": "https://shop.example.com"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_other_websites(api: Api, header: dict[str, str]) -> None:
    """Not with the token that a browser keeps; apps of this server are websites, too."""
    for method, path in (("DELETE", "/apps/shop"), ("GET", "/apps/shop/config-vars")):
        refused = api.ask(method, path, headers=header)
        assert (refused.status_code, refused.json and refused.json["id"]) == (403, "forbidden")
    typed = api.ask("GET", "/apps/shop", headers={"Sec-Fetch-Site": "none"})
    assert typed.status_code == 200


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"a": NaN}', b'{"a": 1, "a": 2}', b"[" * 100_000])
def test_bodies_that_are_none(api: Api, body: bytes) -> None:
    """Half, of another type, not JSON, twice the same, deep."""
    headers = {"Authorization": "Bearer alice"}
    for path in ("/apps/shop", "/apps/shop/config-vars"):
        answer = api.client.patch(path, data=body, headers=headers)
        assert (answer.status_code, answer.json and answer.json["id"]) == (422, "invalid_params")


def test_a_body_that_is_too_large(api: Api) -> None:
    """More than anything that belongs there."""
    answer = api.ask("PATCH", "/apps/shop/config-vars", {"A": "x" * 1024**2})
    assert answer.status_code == 422
