"""/apps/APP/collaborators"""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, jsonify

from paas.entrypoints.web.heroku import ids
from paas.entrypoints.web.heroku.account import named_by, user
from paas.entrypoints.web.heroku.apps import reference
from paas.entrypoints.web.heroku.errors import invalid, not_found
from paas.entrypoints.web.heroku.platform import Platform, body, takes
from paas.entrypoints.web.heroku.ranges import listed
from paas.entrypoints.web.heroku.times import time


def register(app: Blueprint, platform: Platform) -> None:
    """The endpoints."""

    def one(found: Mapping[str, Any], whom: str) -> dict[str, object]:
        for grant in found["grants"]:
            if grant["name"] == whom:
                return serialize(found, grant, platform.domain)
        raise not_found("collaborator")

    @app.get("/apps/<name>/collaborators")
    def collaborators(name: str) -> Response:
        found = platform.ask("access", app=ids.app(name))
        rows = [serialize(found, grant, platform.domain) for grant in found["grants"]]
        return listed(rows, "id")

    @app.get("/apps/<name>/collaborators/<whom>")
    def collaborator(name: str, whom: str) -> Response:
        found = platform.ask("access", app=ids.app(name))
        return jsonify(one(found, named_by(whom, platform.domain)))

    @app.post("/apps/<name>/collaborators")
    def add(name: str) -> tuple[Response, int]:
        given = body()
        takes(given, "user", "silent")
        whom = given.get("user")
        if isinstance(whom, dict):
            whom = whom.get("email")
        if not isinstance(whom, str):
            raise invalid("user takes an e-mail address or a user's name.")
        whom = named_by(whom, platform.domain)
        found = platform.ask("access:add", app=ids.app(name), whom=whom)
        return jsonify(one(found, whom)), 201

    @app.delete("/apps/<name>/collaborators/<whom>")
    def remove(name: str, whom: str) -> Response:
        whom = named_by(whom, platform.domain)
        return jsonify(one(platform.ask("access:remove", app=ids.app(name), whom=whom), whom))


def serialize(found: Mapping[str, Any], grant: Mapping[str, str], domain: str) -> dict[str, object]:
    """Heroku's ``collaborator``."""
    app, at = found["app"], time(found["created_at"])
    who = user(grant["name"], domain)
    return {
        "app": reference(app),
        "created_at": at,
        "id": ids.named("collaborator", f"{app['id']} {grant['name']}"),
        "permissions": [],
        "role": grant["role"],
        "updated_at": at,
        "user": {**who, "federated": False},
    }
