"""/pipelines and /pipeline-couplings: the apps of a pipeline, and their stages"""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, jsonify, request

from paas.entrypoints.web.heroku import ids
from paas.entrypoints.web.heroku.apps import reference
from paas.entrypoints.web.heroku.apps import serialize as serialize_app
from paas.entrypoints.web.heroku.errors import invalid
from paas.entrypoints.web.heroku.platform import Platform, body, takes
from paas.entrypoints.web.heroku.ranges import listed
from paas.entrypoints.web.heroku.times import time

RESOURCE = "pipeline"
_COUPLING = "pipeline-coupling"


def register(app: Blueprint, platform: Platform) -> None:
    """The endpoints."""

    @app.get("/pipelines")
    def every() -> Response:
        wanted = request.args.get("eq[name]")
        rows = [serialize(row) for row in platform.ask("pipelines")]
        return listed([row for row in rows if wanted in (None, row["name"])], "name", "id")

    @app.post("/pipelines")
    def create() -> tuple[Response, int]:
        given = body()
        takes(given, "name", "owner", "generation")
        return jsonify(serialize(platform.ask("pipelines:create", name=given.get("name")))), 201

    @app.get("/pipelines/<pipeline>")
    def info(pipeline: str) -> Response:
        return jsonify(serialize(find(platform, pipeline)))

    @app.delete("/pipelines/<pipeline>")
    def destroy(pipeline: str) -> Response:
        name = name_of(platform, pipeline)
        return jsonify(serialize(platform.ask("pipelines:destroy", name=name)))

    @app.get("/pipelines/<pipeline>/pipeline-couplings")
    def of_pipeline(pipeline: str) -> Response:
        return listed(_couplings(find(platform, pipeline)), "id")

    @app.post("/filters/apps")
    def filtered() -> Response:
        wanted = body().get("in")
        if not isinstance(wanted, dict) or not isinstance(wanted.get("id"), list):
            raise invalid("in takes an object with a list: id.")
        rows = [serialize_app(row, platform) for row in platform.ask("apps")]
        return listed([row for row in rows if row["id"] in wanted["id"]], "id", "name")

    _add_couplings(app, platform)


def _add_couplings(app: Blueprint, platform: Platform) -> None:
    def rows() -> list[dict[str, Any]]:
        return [one for row in platform.ask("pipelines") for one in _couplings(row)]

    @app.get("/pipeline-couplings")
    def all_couplings() -> Response:
        return listed(rows(), "id")

    @app.get("/apps/<name>/pipeline-couplings")
    def of_app(name: str) -> Response:
        found = platform.ask("pipelines:info", app=ids.app(name))
        return jsonify(coupling(found["pipeline"], found["place"]))

    @app.post("/pipeline-couplings")
    def add() -> tuple[Response, int]:
        given = body()
        takes(given, "app", "pipeline", "stage")
        name = name_of(platform, given.get("pipeline"))
        where = {"pipeline": name, "stage": given.get("stage")}
        made = platform.ask("pipelines:add", app=ids.app(word_of(given.get("app"))), **where)
        return jsonify(coupling(made["pipeline"], made["place"])), 201

    @app.get("/pipeline-couplings/<id>")
    def coupling_info(id: str) -> Response:
        return jsonify(ids.one_of(rows(), id, _COUPLING, "id"))

    @app.patch("/pipeline-couplings/<id>")
    def update(id: str) -> Response:
        given = body()
        takes(given, "stage")
        row: dict[str, Any] = ids.one_of(rows(), id, _COUPLING, "id")
        where = {"pipeline": row["pipeline"]["name"], "stage": given.get("stage")}
        made = platform.ask("pipelines:add", app=row["app"]["name"], **where)
        return jsonify(coupling(made["pipeline"], made["place"]))

    @app.delete("/pipeline-couplings/<id>")
    def remove(id: str) -> Response:
        row: dict[str, Any] = ids.one_of(rows(), id, _COUPLING, "id")
        platform.ask("pipelines:remove", app=row["app"]["name"])
        return jsonify(row)


def word_of(value: object) -> str:
    """What names an app or a pipeline: itself, or the name or id in an object. Raises ApiError."""
    if isinstance(value, dict):
        value = value.get("id", value.get("name"))
    if not isinstance(value, str):
        raise invalid("A name or an id is needed.")
    return value


def find(platform: Platform, pipeline: str) -> Mapping[str, Any]:
    """A pipeline, as the platform tells it, by its name or id. Raises ApiError."""
    rows = [{**row, "uuid": ids.numbered(RESOURCE, row["id"])} for row in platform.ask("pipelines")]
    return ids.one_of(rows, pipeline, RESOURCE, "name", "uuid")


def name_of(platform: Platform, pipeline: object) -> str:
    """The name of a pipeline, which is looked up only by its UUID. Raises ApiError."""
    word = word_of(pipeline)
    return str(find(platform, word)["name"]) if ids.is_one(word) else word


def serialize(row: Mapping[str, Any]) -> dict[str, Any]:
    """Heroku's ``pipeline``."""
    at, owner = time(row["created_at"]), row["owner"]
    return {
        "created_at": at,
        "generation": {"id": ids.named("generation", "cedar"), "name": "cedar"},
        "id": ids.numbered(RESOURCE, row["id"]),
        "name": row["name"],
        "owner": {"id": ids.named("user", owner), "type": "user"} if owner is not None else None,
        "updated_at": at,
    }


def _couplings(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [coupling(row, place) for place in row["apps"]]


def coupling(pipeline: Mapping[str, Any], place: Mapping[str, Any]) -> dict[str, Any]:
    """Heroku's ``pipeline-coupling``."""
    at = time(place["added_at"])
    return {
        "app": reference(place["app"]),
        "created_at": at,
        "id": ids.numbered(_COUPLING, place["id"]),
        "pipeline": {"id": ids.numbered(RESOURCE, pipeline["id"]), "name": pipeline["name"]},
        "stage": place["stage"],
        "updated_at": at,
    }
