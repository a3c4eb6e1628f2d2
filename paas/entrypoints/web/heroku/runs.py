"""POST /apps/{app}/dynos: one-off dynos"""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, jsonify

from paas.entrypoints.web.heroku import ids
from paas.entrypoints.web.heroku.apps import reference
from paas.entrypoints.web.heroku.errors import invalid
from paas.entrypoints.web.heroku.platform import Platform, body, takes
from paas.entrypoints.web.heroku.times import time

_KNOWN = ("attach", "command", "env", "size", "type", "force_no_tty", "time_to_live")
_FLAGS = ("attach", "force_no_tty")


def register(app: Blueprint, platform: Platform) -> None:
    """The endpoint."""

    @app.post("/apps/<name>/dynos")
    def create(name: str) -> tuple[Response, int]:
        given = body()
        takes(given, *_KNOWN)
        for flag in _FLAGS:
            if given.get(flag) not in (None, True, False):
                raise invalid(f"{flag} takes true or false.")
        asked = {"app": ids.app(name), "command": given.get("command"), "env": given.get("env")}
        if given.get("attach"):
            is_terminal = not given.get("force_no_tty")
            started = platform.ask("run", **asked, terminal=is_terminal)
        else:
            started = platform.ask("run:detached", **asked)
        return jsonify(serialize(started, platform.rendezvous)), 201


def serialize(run: Mapping[str, Any], rendezvous: str) -> dict[str, object]:
    """Heroku's ``dyno``, of one that was started just now."""
    at, app, secret = time(run["since"]), run["app"], run.get("secret")
    return {
        "app": reference(app),
        "attach_url": f"rendezvous://{rendezvous}/{secret}" if secret else None,
        "command": run["command"],
        "created_at": at,
        "id": ids.named("dyno", f"{app['id']} {run['since']} {run['name']}"),
        "name": run["name"],
        "release": {
            "id": ids.numbered("release", app["id"], run["release"]),
            "version": run["release"],
        },
        "size": "standard-1x",
        "state": "starting",
        "type": "run",
        "updated_at": at,
    }
