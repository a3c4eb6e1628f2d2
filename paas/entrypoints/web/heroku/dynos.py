"""/apps/{app}/dynos, and restarts and stops of dynos and of process types"""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, jsonify

from paas.entrypoints.web.heroku import ids
from paas.entrypoints.web.heroku.apps import reference
from paas.entrypoints.web.heroku.errors import not_found
from paas.entrypoints.web.heroku.formation import size_name
from paas.entrypoints.web.heroku.platform import Platform
from paas.entrypoints.web.heroku.ranges import listed
from paas.entrypoints.web.heroku.times import time

_STATES = {"stopped": "down"}


def register(app: Blueprint, platform: Platform) -> None:
    """The endpoints."""

    def dynos(name: str) -> list[dict[str, object]]:
        return [serialize(row) for row in platform.ask("ps", app=ids.app(name))]

    @app.get("/apps/<name>/dynos")
    def all_dynos(name: str) -> Response:
        return listed(dynos(name), "name", "id")

    @app.get("/apps/<name>/dynos/<dyno>")
    def info(name: str, dyno: str) -> Response:
        for row in dynos(name):
            if dyno in (row["name"], row["id"]):
                return jsonify(row)
        raise not_found("dyno")

    _add_changes(app, platform)


def _add_changes(app: Blueprint, platform: Platform) -> None:
    """Restarts and stops."""

    def change(operation: str, name: str, *names: str) -> tuple[Response, int]:
        platform.ask(operation, app=ids.app(name), names=list(names))
        return jsonify({}), 202

    @app.delete("/apps/<name>/dynos")
    def restart_all(name: str) -> tuple[Response, int]:
        return change("ps:restart", name)

    @app.delete("/apps/<name>/dynos/<dyno>")
    def restart(name: str, dyno: str) -> tuple[Response, int]:
        return change("ps:restart", name, dyno)

    @app.delete("/apps/<name>/formations/<kind>")
    def restart_type(name: str, kind: str) -> tuple[Response, int]:
        return change("ps:restart", name, kind)

    @app.post("/apps/<name>/dynos/<dyno>/actions/stop")
    def stop(name: str, dyno: str) -> tuple[Response, int]:
        return change("ps:stop", name, dyno)

    @app.post("/apps/<name>/formations/<kind>/actions/stop")
    def stop_type(name: str, kind: str) -> tuple[Response, int]:
        return change("ps:stop", name, kind)


def serialize(dyno: Mapping[str, Any]) -> dict[str, object]:
    """Heroku's ``dyno``."""
    app, label = dyno["app"], f"{dyno['type']}.{dyno['number']}"
    at = time(dyno["since"]) or time(dyno["released_at"])
    return {
        "app": reference(app),
        "attach_url": None,
        "command": dyno["command"],
        "created_at": at,
        "id": ids.named("dyno", f"{app['id']} {dyno['rollout']} {label}"),
        "name": label,
        "release": {
            "id": ids.numbered("release", app["id"], dyno["release"]),
            "version": dyno["release"],
        },
        "size": size_name(dyno["size"]),
        "state": _STATES.get(dyno["state"], dyno["state"]),
        "type": dyno["type"],
        "updated_at": at,
    }
