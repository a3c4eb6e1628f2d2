"""/pipeline-promotions: code of one app that becomes a release of others"""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, jsonify

from paas.entrypoints.web.heroku import ids, pipelines
from paas.entrypoints.web.heroku.errors import invalid, not_found
from paas.entrypoints.web.heroku.pipelines import word_of
from paas.entrypoints.web.heroku.platform import Platform, body, takes
from paas.entrypoints.web.heroku.times import time

# The id of a promotion holds the numbers of the app and of the release that was promoted.
_RESOURCE = "pipeline-promotion"
_FAILED = "The new release did not come up; the app's log says why. The former one keeps running."


def register(app: Blueprint, platform: Platform) -> None:
    """The endpoints."""

    @app.post("/pipeline-promotions")
    def promote() -> tuple[Response, int]:
        source, version = _promote(platform)
        return jsonify(serialize(_found(platform, source, version), version)), 201

    @app.get("/pipeline-promotions/<promotion>")
    def info(promotion: str) -> Response:
        source, version = _numbers(promotion)
        return jsonify(serialize(_found(platform, source, version), version))

    @app.get("/pipeline-promotions/<promotion>/promotion-targets")
    def targets(promotion: str) -> Response:
        source, version = _numbers(promotion)
        found = _found(platform, source, version)
        return jsonify([target(promotion, row) for row in found["promotions"]])


def _promote(platform: Platform) -> tuple[int, int]:
    """Promote to each target by itself, side by side; returns the source and its release."""
    given = body()
    takes(given, "pipeline", "source", "targets")
    source, wanted = given.get("source"), given.get("targets")
    if not isinstance(source, dict) or not isinstance(wanted, list) or not wanted:
        raise invalid("A promotion has a source with an app, and targets with one each.")
    pipeline = pipelines.find(platform, word_of(given.get("pipeline")))
    apps = [one["app"] for one in pipeline["apps"]]
    found = [_app(apps, one) for one in (source, *wanted)]
    version = 0
    for one in found[1:]:
        made = platform.ask("pipelines:promote", app=found[0]["name"], to=[one["name"]])
        version = made["version"]
    return found[0]["id"], version


def _app(apps: list[Mapping[str, Any]], wanted: object) -> Mapping[str, Any]:
    """The app that ``{"app": ...}`` names. Raises ApiError."""
    word = word_of(wanted.get("app") if isinstance(wanted, dict) else wanted)
    for one in apps:
        if word in (one["name"], ids.numbered("app", one["id"])):
            return one
    raise not_found("app", "Couldn't find that app in the pipeline.")


def _numbers(promotion: str) -> tuple[int, int]:
    found = ids.numbers(_RESOURCE, promotion)
    if found is None:
        raise not_found(_RESOURCE)
    return found


def _found(platform: Platform, source: int, version: int) -> Mapping[str, Any]:
    """The source's place in its pipeline, with what was promoted of that release."""
    return dict(platform.ask("pipelines:info", app=source, version=version))


def serialize(found: Mapping[str, Any], version: int) -> dict[str, Any]:
    """Heroku's ``pipeline-promotion``."""
    app, rows = found["place"]["app"]["id"], found["promotions"]
    begun = min((time(row["created_at"]) or "" for row in rows), default=None)
    pending = any(row["status"] == "pending" for row in rows)
    return {
        "created_at": begun or time(found["place"]["added_at"]),
        "id": ids.numbered(_RESOURCE, app, version),
        "pipeline": {"id": ids.numbered(pipelines.RESOURCE, found["pipeline"]["id"])},
        "source": {
            "app": {"id": ids.numbered("app", app)},
            "release": {"id": ids.numbered("release", app, version)},
        },
        "status": "pending" if pending else "completed",
        "updated_at": begun,
    }


def target(promotion: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """Heroku's ``pipeline-promotion-target``."""
    app, version = row["app"]["id"], row["version"]
    return {
        "app": {"id": ids.numbered("app", app)},
        "error_message": _FAILED if row["status"] == "failed" else None,
        "id": ids.numbered("promotion-target", app, version),
        "pipeline_promotion": {"id": promotion},
        "release": {"id": ids.numbered("release", app, version)},
        "status": row["status"],
    }
