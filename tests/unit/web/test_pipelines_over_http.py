"""Pipelines and promotions over HTTP, as Heroku's CLI asks for them."""

from typing import Any

import pytest

from paas.domain.audit.views import AuditFilter
from paas.domain.people.users import Role
from tests.fakes.world import ROOT, World
from tests.unit.web.api_world import Api
from tests.unit.web.test_answers import faults


@pytest.fixture
def api(world: World) -> Api:
    """Alice has deployed an app, staging, and has another one, shop; Bob has an account."""
    world.user("alice")
    world.user("bob", Role.MEMBER)
    for name in ("staging", "shop"):
        world.app(name, world.actor("alice"))
    world.push("staging")
    return Api(world)


def ask(api: Api, method: str, path: str, body: object = None) -> Any:
    """The JSON of an answer that is no error."""
    answer = api.ask(method, path, body)
    assert answer.status_code < 300, answer.text
    return answer.json


@pytest.fixture
def line(api: Api) -> dict[str, Any]:
    """A pipeline of both apps, as the CLI makes it."""
    made: dict[str, Any] = ask(api, "POST", "/pipelines", {"name": "line", "owner": {"id": "x"}})
    for name, stage in (("staging", "staging"), ("shop", "production")):
        body = {"app": name, "pipeline": made["id"], "stage": stage}
        assert ask(api, "POST", "/pipeline-couplings", body)["stage"] == stage
    return made


def test_a_pipeline(api: Api, line: dict[str, Any]) -> None:
    """It is found by its name and its id, with its apps; by nobody else."""
    assert ask(api, "GET", "/pipelines?eq[name]=line") == [line]
    assert ask(api, "GET", "/pipelines?eq[name]=other") == []
    assert ask(api, "GET", f"/pipelines/{line['id']}") == line
    rows = ask(api, "GET", f"/pipelines/{line['id']}/pipeline-couplings")
    assert {row["stage"] for row in rows} == {"staging", "production"}
    apps = [row["app"]["id"] for row in rows]
    found = ask(api, "POST", "/filters/apps", {"in": {"id": apps}})
    assert {row["name"] for row in found} == {"staging", "shop"}
    assert api.ask("GET", "/pipelines/line", user="bob").status_code == 404
    assert api.ask("GET", "/pipelines", user="bob").json == []


def test_changing_a_pipeline(api: Api, line: dict[str, Any]) -> None:
    """An app gets another stage, and is taken out; the pipeline is removed."""
    coupling = ask(api, "GET", "/apps/shop/pipeline-couplings")
    path = f"/pipeline-couplings/{coupling['id']}"
    assert ask(api, "PATCH", path, {"stage": "staging"})["stage"] == "staging"
    assert api.ask("PATCH", path, {"stage": "moon"}).status_code == 422
    ask(api, "DELETE", path)
    assert api.ask("GET", path).status_code == 404
    missing = api.ask("GET", "/apps/shop/pipeline-couplings")
    assert (missing.status_code, missing.json and missing.json["id"]) == (404, "not_found")
    ask(api, "DELETE", f"/pipelines/{line['id']}")
    assert ask(api, "GET", "/pipelines") == []


def test_a_promotion(api: Api, line: dict[str, Any]) -> None:
    """Its targets are asked for until each has its release."""
    ids = {name: ask(api, "GET", f"/apps/{name}")["id"] for name in ("staging", "shop")}
    body = {
        "pipeline": {"id": line["id"]},
        "source": {"app": {"id": ids["staging"]}},
        "targets": [{"app": {"id": ids["shop"]}}],
    }
    made = ask(api, "POST", "/pipeline-promotions", body)
    assert faults("pipeline-promotion", made) == []
    path = f"/pipeline-promotions/{made['id']}"
    assert ask(api, "GET", path)["status"] == "completed"
    (target,) = ask(api, "GET", f"{path}/promotion-targets")
    assert faults("pipeline-promotion-target", target) == []
    assert (target["status"], target["app"]["id"]) == ("succeeded", ids["shop"])
    release = ask(api, "GET", f"/apps/shop/releases/{target['release']['id']}")
    assert release["description"].startswith("Promote staging v1")
    (event,) = api.world.audit.latest(ROOT, AuditFilter(), 1)
    assert (event.command, event.words) == ("pipelines:promote", ("--to", "shop"))


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"pipeline": "line", "source": {"app": "staging"}, "targets": []}, 422),
        ({"pipeline": "line", "source": {"app": "staging"}, "targets": [{"app": "x"}]}, 404),
        ({"pipeline": "line", "source": "staging", "targets": [{"app": "shop"}]}, 422),
        ({"pipeline": "none", "source": {"app": "staging"}, "targets": [{"app": "shop"}]}, 404),
        ({"pipeline": "line", "source": {"app": "shop"}, "targets": [{"app": "staging"}]}, 422),
    ],
)
def test_what_cannot_be_promoted(api: Api, line: dict[str, Any], body: object, status: int) -> None:
    """Nothing is changed by it; the last one has never been deployed."""
    assert line["name"] == "line"
    assert api.ask("POST", "/pipeline-promotions", body).status_code == status
    assert len(ask(api, "GET", "/apps/staging/releases")) == 1
    assert api.ask("GET", "/pipeline-promotions/none/promotion-targets").status_code == 404
