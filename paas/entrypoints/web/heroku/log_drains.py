"""/apps/APP/log-drains"""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, jsonify

from paas.entrypoints.web.heroku import ids
from paas.entrypoints.web.heroku.apps import reference
from paas.entrypoints.web.heroku.platform import Platform, body, takes
from paas.entrypoints.web.heroku.ranges import listed
from paas.entrypoints.web.heroku.times import time


def register(app: Blueprint, platform: Platform) -> None:
    """The endpoints."""

    def all_drains(name: str) -> list[dict[str, object]]:
        found = platform.ask("drains", app=ids.app(name))
        return [serialize(found["app"], row) for row in found["drains"]]

    @app.get("/apps/<name>/log-drains")
    def drains(name: str) -> Response:
        return listed(all_drains(name), "id")

    @app.get("/apps/<name>/log-drains/<drain>")
    def info(name: str, drain: str) -> Response:
        return jsonify(ids.one_of(all_drains(name), drain, "log-drain", "id", "token", "url"))

    @app.post("/apps/<name>/log-drains")
    def add(name: str) -> tuple[Response, int]:
        given = body()
        takes(given, "url")
        made = platform.ask("drains:add", app=ids.app(name), url=given.get("url"))
        return jsonify(serialize(made["app"], made["drain"])), 201

    @app.delete("/apps/<name>/log-drains/<drain>")
    def remove(name: str, drain: str) -> Response:
        # By its id only if it is one: who may not remove it is refused that, and it is recorded.
        word = (
            ids.one_of(all_drains(name), drain, "log-drain", "id", "token", "url")["token"]
            if ids.is_one(drain)
            else drain
        )
        gone = platform.ask("drains:remove", app=ids.app(name), drain=word)
        return jsonify(serialize(gone["app"], gone["drain"]))


def serialize(app: Mapping[str, Any], drain: Mapping[str, Any]) -> dict[str, object]:
    """Heroku's ``log-drain``. Its URL lacks what may be a password."""
    at = time(app["created_at"])
    return {
        "addon": None,
        "app": reference(app),
        "created_at": at,
        "id": ids.named("log-drain", drain["token"]),
        "token": drain["token"],
        "updated_at": at,
        "url": drain["url"],
    }
