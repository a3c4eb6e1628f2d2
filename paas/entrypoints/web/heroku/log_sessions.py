"""/apps/{app}/log-sessions"""

from datetime import UTC, datetime
from uuid import uuid4

from flask import Blueprint, Response, jsonify

from paas.entrypoints.web.heroku import ids
from paas.entrypoints.web.heroku.errors import invalid
from paas.entrypoints.web.heroku.platform import Platform, body, takes

LINES, LINES_MAX = 100, 1_500
_ROUTER = "router"


def register(app: Blueprint, platform: Platform) -> None:
    """The endpoint."""

    @app.post("/apps/<name>/log-sessions")
    def create(name: str) -> tuple[Response, int]:
        given = body()
        takes(given, "source", "dyno", "lines", "tail", "backtail", "dyno_name", "type")
        lines, tail = given.get("lines", LINES), given.get("tail", False)
        if not isinstance(lines, int) or isinstance(lines, bool) or lines < 0:
            raise invalid("lines takes a whole number.")
        if not isinstance(tail, bool):
            raise invalid("tail takes true or false.")
        process, source = (given.get(key) for key in ("dyno", "source"))
        process = process or given.get("dyno_name") or given.get("type")
        if process == _ROUTER:
            process, source = None, _ROUTER
        opened = platform.ask(
            "logs",
            app=ids.app(name),
            lines=min(lines, LINES_MAX),
            tail=tail,
            process=process,
            source=source,
        )
        return jsonify(serialize(platform.stream_url(opened["secret"]))), 201


def serialize(url: str | None) -> dict[str, object]:
    """Heroku's ``log-session``."""
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return {
        "created_at": now,
        "id": str(uuid4()),
        "logplex_url": url,
        "updated_at": now,
    }
