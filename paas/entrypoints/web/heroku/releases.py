"""/apps/{app}/releases"""

import re
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, jsonify

from paas.entrypoints.web.heroku import ids
from paas.entrypoints.web.heroku.account import user
from paas.entrypoints.web.heroku.apps import reference
from paas.entrypoints.web.heroku.errors import invalid, not_found
from paas.entrypoints.web.heroku.platform import Platform, body, takes
from paas.entrypoints.web.heroku.ranges import listed
from paas.entrypoints.web.heroku.times import time

_VERSION = re.compile("v?([1-9][0-9]{0,8})")


def register(app: Blueprint, platform: Platform) -> None:
    """The endpoints."""

    @app.get("/apps/<name>/releases")
    def all_releases(name: str) -> Response:
        rows = platform.ask("releases", app=ids.app(name), follow=True)
        return listed([serialize(row, platform) for row in rows], "version", "id")

    @app.get("/apps/<name>/releases/<release>")
    def info(name: str, release: str) -> Response:
        version = version_of(release)
        row = platform.ask("releases:info", app=ids.app(name), version=version, follow=True)
        return jsonify(serialize(row, platform))

    @app.post("/apps/<name>/releases")
    def create(name: str) -> tuple[Response, int]:
        given, ref = body(), ids.app(name)
        takes(given, "release", "slug", "description")
        if "slug" in given:
            row = platform.ask("releases:retry", app=ref)
        elif isinstance(given.get("release"), str | int):
            version = version_of(str(given["release"]))
            row = platform.ask("rollback", app=ref, version=version)
        else:
            raise invalid("release takes the id or the version of a release.")
        return jsonify(serialize(row, platform)), 201


def version_of(text: str) -> int:
    """The version of a release that is named ``v12``, ``12`` or by its id. Raises ApiError."""
    found = _VERSION.fullmatch(text)
    if found is not None:
        return int(found[1])
    numbers = ids.numbers("release", text)
    if numbers is None:
        raise not_found("release")
    return numbers[1]


def serialize(release: Mapping[str, Any], platform: Platform) -> dict[str, object]:
    """Heroku's ``release``."""
    at = time(release["created_at"])
    slug = release["slug"]
    return {
        "addon_plan_names": [],
        "app": reference(release["app"]),
        "artifacts": [],
        "created_at": at,
        "current": release["current"],
        "description": release["description"],
        "eligible_for_rollback": release["can_roll_back"],
        "id": ids.numbered("release", release["app"]["id"], release["version"]),
        "output_stream_url": platform.stream_url(release.get("output")),
        "slug": {"id": ids.named("slug", slug)} if slug is not None else None,
        "status": release["status"],
        "updated_at": at,
        "user": user(release["user"], platform.domain),
        "version": release["version"],
    }
