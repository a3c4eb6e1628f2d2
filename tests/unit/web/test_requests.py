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
