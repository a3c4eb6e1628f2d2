"""/apps/{app}/builds"""

import re
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, jsonify

from paas.entrypoints.web.heroku import ids
from paas.entrypoints.web.heroku.account import user
from paas.entrypoints.web.heroku.apps import STACK
from paas.entrypoints.web.heroku.errors import invalid
from paas.entrypoints.web.heroku.platform import Platform, body, takes
from paas.entrypoints.web.heroku.ranges import listed
from paas.entrypoints.web.heroku.sources import secret_in
from paas.entrypoints.web.heroku.times import time

_CHECKSUM = re.compile("(?:SHA256:)?([0-9a-f]{64})", re.IGNORECASE)


def register(app: Blueprint, platform: Platform) -> None:
    """The endpoints."""

    @app.get("/apps/<name>/builds")
    def all_builds(name: str) -> Response:
        rows = platform.ask("builds", app=ids.app(name), follow=True)
        return listed([serialize(row, platform) for row in rows], "created_at", "id")

    @app.get("/apps/<name>/builds/<build>")
    def info(name: str, build: str) -> Response:
        own = _named(platform, name, build)
        row = platform.ask("builds:info", app=ids.app(name), build=own, follow=True)
        return jsonify(serialize(row, platform))

    @app.delete("/apps/<name>/builds/<build>")
    def cancel(name: str, build: str) -> Response:
        own = _named(platform, name, build)
        row = platform.ask("builds:cancel", app=ids.app(name), build=own)
        return jsonify(serialize(row, platform))

    @app.post("/apps/<name>/builds")
    def create(name: str) -> tuple[Response, int]:
        source = _source(body())
        url = source.pop("url") or ""
        upload = secret_in(url, platform)
        place = {"upload": upload} if upload else {"url": url}
        row = platform.ask("git:from-archive", app=ids.app(name), **source, **place)
        return jsonify(serialize(row, platform, {**source, "url": url})), 201


def _named(platform: Platform, name: str, build: str) -> str:
    """Our id of a build, from the one that a client has. Raises ApiError."""
    rows = [{"own": row["id"], "id": id_of(row)} for row in _all(platform, name)]
    return str(ids.one_of(rows, build, "build", "id", "own")["own"])


def _all(platform: Platform, name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = platform.ask("builds", app=ids.app(name))
    return rows


def _source(given: Mapping[str, Any]) -> dict[str, str | None]:
    """What is to be built, for the operation. Raises ApiError."""
    takes(given, "source_blob", "buildpacks", "stack", "normalize_top_level_dir")
    if given.get("buildpacks"):
        raise invalid("Set the buildpacks of the app instead: heroku buildpacks:set")
    blob = given.get("source_blob")
    if not isinstance(blob, dict) or not isinstance(blob.get("url"), str):
        raise invalid("source_blob takes an object with the url of an archive.")
    takes(blob, "url", "version", "checksum", "version_description")
    for field in ("version", "checksum", "version_description"):
        if not isinstance(blob.get(field), str | None):
            raise invalid(f"{field} takes a text.")
    checksum = blob.get("checksum")
    found = _CHECKSUM.fullmatch(checksum) if checksum else None
    if checksum and found is None:
        raise invalid("checksum takes SHA256: and 64 hexadecimal digits.")
    return {
        "url": blob["url"],
        "version": blob.get("version"),
        "sha256": found[1].lower() if found else None,
    }


def id_of(build: Mapping[str, Any]) -> str:
    """Of a build, whose own id is longer than a UUID."""
    return ids.named("build", build["id"])


def serialize(
    build: Mapping[str, Any], platform: Platform, source: Mapping[str, str | None] | None = None
) -> dict[str, object]:
    """Heroku's ``build``. source: what it was made from, if that is known; else its commit."""
    given = source or {}
    release, app = build["release"], build["app"]
    url = given.get("url") or f"{platform.git_base}/{app['name']}.git"
    return {
        "app": {"id": ids.numbered("app", app["id"])},
        "buildpacks": None,
        "created_at": time(build["created_at"]),
        "generation": "cedar",
        "id": id_of(build),
        "output_stream_url": platform.stream_url(build["output"]),
        "release": {"id": ids.numbered("release", app["id"], release)} if release else None,
        "slug": {"id": ids.named("slug", build["id"])} if release else None,
        "source_blob": {
            "checksum": f"SHA256:{given['sha256']}" if given.get("sha256") else None,
            "url": url,
            "version": given.get("version") or build["commit"],
            "version_description": None,
        },
        "stack": STACK["name"],
        "status": build["status"],
        "updated_at": time(build["ended_at"] or build["created_at"]),
        "user": user(build["user"], platform.domain),
    }
