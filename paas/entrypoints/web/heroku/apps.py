"""/apps"""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, jsonify

from paas.entrypoints.web.heroku import ids
from paas.entrypoints.web.heroku.account import user
from paas.entrypoints.web.heroku.errors import invalid
from paas.entrypoints.web.heroku.platform import Platform, body, takes
from paas.entrypoints.web.heroku.ranges import listed
from paas.entrypoints.web.heroku.times import time

# Heroku's CLI shows the region behind an app's name, unless it is this one.
REGION = {"id": ids.named("region", "us"), "name": "us"}
# A name of whatever is the usual stack, which heroku3 asks for.
_GENERATION = "cedar"
STACK = {"id": ids.named("stack", "paas"), "name": "paas"}


def register(app: Blueprint, platform: Platform) -> None:
    """The endpoints."""

    @app.get("/apps")
    def all_apps() -> Response:
        return listed([_row(found) for found in platform.ask("apps")], "name", "id")

    @app.get("/users/<name>/apps")
    def own_apps(name: str) -> Response:  # noqa: ARG001 - of the token's user, whatever it is
        return listed([_row(found) for found in platform.ask("apps")], "name", "id")

    @app.post("/apps")
    def create() -> tuple[Response, int]:
        given = body()
        takes(given, "name", "region", "stack", "feature_flags", "locked")
        _check_only(given, "region", REGION)
        _check_only(given, "stack", STACK | {"generation": _GENERATION})
        return jsonify(_row(platform.ask("apps:create", name=given.get("name")))), 201

    @app.get("/apps/<name>")
    def info(name: str) -> Response:
        return jsonify(_row(platform.ask("apps:info", app=ids.app(name))))

    @app.patch("/apps/<name>")
    def update(name: str) -> Response:
        return jsonify(_row(_update(platform, ids.app(name))))

    @app.delete("/apps/<name>")
    def destroy(name: str) -> Response:
        return jsonify(_row(platform.ask("apps:destroy", app=ids.app(name))))

    def _row(found: Mapping[str, Any]) -> dict[str, object]:
        return serialize(found, platform)


def _update(platform: Platform, ref: str | int) -> Mapping[str, Any]:
    """The app after what the request changes."""
    given = body()
    takes(given, "name", "maintenance", "build_stack")
    _check_only(given, "build_stack", STACK)
    found: Mapping[str, Any] | None = None
    if (maintenance := given.get("maintenance")) is not None:
        if not isinstance(maintenance, bool):
            raise invalid("maintenance takes true or false.")
        found = platform.ask(f"maintenance:{'on' if maintenance else 'off'}", app=ref)
    if (name := given.get("name")) is not None:
        found = platform.ask("apps:rename", app=ref, name=name)
    return found if found is not None else platform.ask("apps:info", app=ref)


def _check_only(given: Mapping[str, Any], name: str, only: Mapping[str, str]) -> None:
    """Raises ApiError for anything but the one that there is, by its name or id."""
    value = given.get(name)
    if isinstance(value, dict):
        value = value.get("name", value.get("id"))
    if value is not None and value not in only.values():
        raise invalid(f"The only {name.replace('_', ' ')} of this server is {only['name']}.")


def serialize(app: Mapping[str, Any], platform: Platform) -> dict[str, object]:
    """Heroku's ``app``."""
    created = time(app["created_at"])
    return {
        "acm": app["auto_certificates"],
        "archived_at": None,
        "build_stack": STACK,
        "buildpack_provided_description": None,
        "create_status": "complete",
        "created_at": created,
        "current_build_architecture": [],
        "generation": {"id": ids.named("generation", _GENERATION), "name": _GENERATION},
        "git_url": f"{platform.git_base}/{app['name']}.git",
        "id": ids.numbered("app", app["id"]),
        "internal_routing": None,
        "maintenance": app["maintenance"],
        "name": app["name"],
        "owner": user(app["owner"], platform.domain),
        "region": REGION,
        "released_at": time(app["released_at"]),
        "repo_size": None,
        "slug_size": app["slug_size_bytes"],
        "space": None,
        "stack": STACK,
        "team": None,
        "updated_at": time(app["released_at"]) or created,
        "web_url": app["url"],
    }


def reference(app: Mapping[str, Any]) -> dict[str, object]:
    """An app as a part of something else."""
    return {"id": ids.numbered("app", app["id"]), "name": app["name"]}
