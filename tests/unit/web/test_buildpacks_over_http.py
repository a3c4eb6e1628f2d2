"""Buildpacks over HTTP, as Heroku's CLI names them, and the registry that it looks them up in."""

from typing import Any

import pytest

from paas.domain.audit.views import AuditFilter
from paas.domain.builds.buildpacks import buildpack
from paas.entrypoints.web.heroku.buildpacks import serialize
from tests.fakes.world import ROOT, World
from tests.unit.web.api_world import Api

PATH = "/apps/shop/buildpack-installations"


@pytest.fixture
def api(world: World) -> Api:
    """Alice has an app, shop."""
    world.user("alice")
    world.app("shop", world.actor("alice"))
    return Api(world)


def put(api: Api, *buildpacks: object) -> Any:
    """The URLs of the app's buildpacks after these were set."""
    answer = api.ask("PUT", PATH, {"updates": [{"buildpack": one} for one in buildpacks]})
    assert answer.status_code == 200, answer.text
    return [row["buildpack"]["url"] for row in answer.json or []]


def test_a_name_of_the_registry_is_ours(api: Api) -> None:
    """What the CLI is told of it, it sends back, with and without its urn."""
    looked_up = [
        (api.ask("GET", f"/buildpacks/{slug}").json or {})["blob_url"]
        for slug in ("heroku%2Fpython", "heroku%2Fnodejs", "heroku%2Fruby")
    ]
    assert put(api, *looked_up) == looked_up
    there = [url.removeprefix("urn:buildpack:") for url in looked_up]
    assert put(api, *there, "https://example.net/pack#v1") == [
        *looked_up,
        "https://example.net/pack#v1",
    ]
    stored = api.world.store.buildpacks.of_app(1)
    assert [pack.source for pack in stored] == [
        "python",
        "node",
        "https://github.com/heroku/heroku-buildpack-ruby",
        "https://example.net/pack#v1",
    ]
    events = api.world.audit.latest(ROOT, AuditFilter(), 10)
    assert events[-1].words == (*there, "https://example.net/pack")


def test_other_forms(api: Api) -> None:
    """An object is what heroku3 sends; an empty list lets them be detected again."""
    assert put(api, {"url": "heroku/nodejs"}, {"name": "python"}) == [
        "urn:buildpack:heroku/nodejs",
        "urn:buildpack:heroku/python",
    ]
    assert serialize({"source": "static", "named": "static"}, 0)["buildpack"] == {
        "name": "paas/static",
        "url": "urn:buildpack:paas/static",
    }
    assert put(api) == []
    assert api.ask("GET", PATH).json == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"updates": "heroku/python"},
        {"updates": [{}]},  # of the CLI, if the registry has no such buildpack
        {"updates": [{"buildpack": "heroku/pythonn"}]},
        {"updates": [{"buildpack": "/srv/pack"}]},
        {"updates": [{"buildpack": "heroku/ruby"}, {"buildpack": "heroku/ruby"}]},
    ],
)
def test_what_is_refused(api: Api, body: object) -> None:
    """With a sentence, and nothing is changed."""
    put(api, "heroku/python")
    answer = api.ask("PUT", PATH, body)
    assert answer.status_code in (403, 422)
    assert answer.json is not None
    assert answer.json["message"]
    assert [pack.source for pack in api.world.store.buildpacks.of_app(1)] == ["python"]


def test_a_directory_that_an_admin_chose_stays(api: Api) -> None:
    """The CLI sends the whole list back, as anybody who may change it."""
    api.world.store.buildpacks.set(1, [buildpack("/srv/pack")])
    assert put(api, "/srv/pack", "heroku/ruby") == ["/srv/pack", "urn:buildpack:heroku/ruby"]


def test_the_registry(api: Api) -> None:
    """It is asked without a token, and knows what can be named."""
    client = api.client
    found = client.get("/buildpacks?in[namespace][]=heroku&in[name][]=ruby").json or []
    assert [(one["namespace"], one["name"]) for one in found] == [("heroku", "ruby")]
    ours = client.get("/buildpacks?like[description]=this%20platform").json or []
    assert {one["name"] for one in ours} == {"python", "nodejs", "procfile", "static"}
    info = client.get("/buildpacks/heroku%2Fruby").json or {}
    assert info["source"] == {"type": "github", "owner": "heroku", "repo": "heroku-buildpack-ruby"}
    assert (client.get("/buildpacks/heroku%2Fruby/revisions").json or [])[0]["release"] == 1
    assert client.get("/buildpacks/heroku%2Fruby/readme").status_code == 200
    assert client.get("/buildpacks/heroku%2Fnone").status_code == 404
