"""/apps"""

from collections.abc import Mapping
from typing import Any

from flask import Flask, Response, jsonify

from paas.entrypoints.web.heroku import ids
from paas.entrypoints.web.heroku.account import email, user
from paas.entrypoints.web.heroku.platform import Platform
from paas.entrypoints.web.heroku.ranges import listed
from paas.entrypoints.web.heroku.times import time

# Heroku's CLI shows the region behind an app's name, unless it is this one.
REGION = {"id": ids.named("region", "us"), "name": "us"}
STACK = {"id": ids.named("stack", "paas"), "name": "paas"}


def register(app: Flask, platform: Platform) -> None:
    """The endpoints."""

    @app.get("/apps")
    def all_apps() -> Response:
        return listed([_row(found) for found in platform.ask("apps")], "name", "id")

    @app.get("/users/<name>/apps")
    def own_apps(name: str) -> Response:  # noqa: ARG001 - of the token's user, whatever it is
        return listed([_row(found) for found in platform.ask("apps")], "name", "id")

    @app.get("/apps/<name>")
    def info(name: str) -> Response:
        return jsonify(_row(platform.ask("apps:info", app=ids.app(name))))

    def _row(found: Mapping[str, Any]) -> dict[str, object]:
        return serialize(found, platform)


def serialize(app: Mapping[str, Any], platform: Platform) -> dict[str, object]:
    """Heroku's ``app``."""
    created = time(app["created_at"])
    return {
        "acm": False,
        "archived_at": None,
        "build_stack": STACK,
        "buildpack_provided_description": None,
        "create_status": "complete",
        "created_at": created,
        "current_build_architecture": [],
        "generation": {"id": ids.named("generation", "cedar"), "name": "cedar"},
        "git_url": f"{platform.git_base}/{app['name']}.git",
        "id": ids.numbered("app", app["id"]),
        "internal_routing": None,
        "maintenance": app["maintenance"],
        "name": app["name"],
        "owner": user(app["owner"], platform.domain),
        "region": REGION,
        "released_at": None,
        "repo_size": None,
        "slug_size": app["slug_size_bytes"],
        "space": None,
        "stack": STACK,
        "team": None,
        "updated_at": created,
        "web_url": app["url"],
    }


def reference(app: Mapping[str, Any]) -> dict[str, object]:
    """An app as a part of something else."""
    return {"id": ids.numbered("app", app["id"]), "name": app["name"]}


__all__ = ["REGION", "STACK", "email", "reference", "register", "serialize"]
