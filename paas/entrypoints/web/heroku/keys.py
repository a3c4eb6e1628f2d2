"""/account/keys"""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, jsonify

from paas.entrypoints.web.heroku import ids
from paas.entrypoints.web.heroku.account import BEGINNING
from paas.entrypoints.web.heroku.platform import Platform, body, takes
from paas.entrypoints.web.heroku.ranges import listed
from paas.entrypoints.web.heroku.times import time


def register(app: Blueprint, platform: Platform) -> None:
    """The endpoints."""

    def all_keys() -> list[dict[str, object]]:
        return [serialize(row) for row in platform.ask("keys")]

    def one(key: str) -> dict[str, object]:
        return ids.one_of(all_keys(), key, "key", "id", "fingerprint")

    @app.get("/account/keys")
    def keys() -> Response:
        return listed(all_keys(), "id")

    @app.get("/account/keys/<key>")
    def info(key: str) -> Response:
        return jsonify(one(key))

    @app.post("/account/keys")
    def add() -> tuple[Response, int]:
        given = body()
        takes(given, "public_key")
        user = platform.ask("auth:whoami")["name"]
        made = platform.ask("keys:add", user=user, key=given.get("public_key"))
        return jsonify(serialize(made)), 201

    @app.delete("/account/keys/<key>")
    def remove(key: str) -> Response:
        fingerprint = one(key)["fingerprint"] if ids.is_one(key) else key
        return jsonify(serialize(platform.ask("keys:remove", fingerprint=fingerprint)))


def serialize(key: Mapping[str, Any]) -> dict[str, object]:
    """Heroku's ``key``. The e-mail address is what its clients call the comment."""
    at = time(key["added"]) or BEGINNING
    return {
        "comment": key["comment"],
        "created_at": at,
        "email": key["comment"],
        "fingerprint": key["fingerprint"],
        "id": ids.named("key", key["fingerprint"]),
        "public_key": key["key"],
        "updated_at": at,
    }
