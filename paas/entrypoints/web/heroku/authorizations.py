"""/oauth/authorizations: our tokens, under Heroku's name"""

import string
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, jsonify

from paas.entrypoints.web.heroku import ids
from paas.entrypoints.web.heroku.account import user
from paas.entrypoints.web.heroku.errors import invalid, not_found
from paas.entrypoints.web.heroku.platform import Platform, body, takes
from paas.entrypoints.web.heroku.ranges import listed
from paas.entrypoints.web.heroku.times import time

# After the part of a token that is known, as Heroku's CLI looks for its own.
_REDACTED = "*" * 10
_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_BITS = 31


def register(app: Blueprint, platform: Platform) -> None:
    """The endpoints."""

    def all_tokens() -> list[dict[str, object]]:
        return [serialize(row, platform.domain) for row in platform.ask("tokens")]

    @app.get("/oauth/authorizations")
    def authorizations() -> Response:
        return listed(all_tokens(), "id")

    @app.post("/oauth/authorizations")
    def create() -> tuple[Response, int]:
        given = body()
        takes(given, "description", "expires_in", "scope", "client")
        if given.get("scope") not in (None, ["global"]):
            raise invalid('The only scope here is ["global"]; limit a token: paas tokens:create')
        note = given.get("description") or ""
        row = platform.ask("tokens:create", note=note, seconds=given.get("expires_in"))
        return jsonify(serialize(row, platform.domain)), 201

    @app.get("/oauth/authorizations/<id>")
    def info(id: str) -> Response:
        found = [row for row in all_tokens() if row["id"] == id]
        if not found:
            raise not_found("authorization")
        return jsonify(found[0])

    @app.delete("/oauth/authorizations/<id>")
    def revoke(id: str) -> Response:
        prefix = prefix_of(id)
        if prefix is None:
            raise not_found("authorization")
        return jsonify(serialize(platform.ask("tokens:revoke", prefix=prefix), platform.domain))

    @app.delete("/oauth/sessions/<_id>")
    def no_session(_id: str) -> Response:
        raise not_found("session")


def id_of(prefix: str) -> str:
    """The UUID of a token, from its prefix: 8 digits to the base of 62 fit into one."""
    number = 0
    for digit in prefix:
        number = number * len(_DIGITS) + _DIGITS.index(digit)
    return ids.numbered("authorization", number >> _BITS, number & (2**_BITS - 1))


def prefix_of(id: str) -> str | None:
    """The prefix of a token, from its UUID; None if it is not one of ours."""
    numbers = ids.numbers("authorization", id)
    if numbers is None:
        return None
    number, prefix = (numbers[0] << _BITS) | numbers[1], ""
    for _ in range(8):
        number, digit = divmod(number, len(_DIGITS))
        prefix = _DIGITS[digit] + prefix
    return prefix if number == 0 else None


def serialize(token: Mapping[str, Any], domain: str) -> dict[str, object]:
    """Heroku's ``oauth-authorization``. The text of a token is there only when it is made."""
    id, created = id_of(token["prefix"]), time(token["created"])
    return {
        "access_token": {
            "expires_in": _seconds(token["expires"]),
            "id": id,
            "token": token.get("token") or f"paas_{token['prefix']}{_REDACTED}",
        },
        "client": None,
        "created_at": created,
        "description": token["note"],
        "grant": None,
        "id": id,
        "refresh_token": None,
        "scope": ["limited" if token["limited"] else "global"],
        "session": None,
        "updated_at": created,
        "user": {**user(token["user"], domain), "full_name": token["user"]},
    }


def _seconds(expires: str | None) -> int | None:
    if expires is None:
        return None
    return max(0, int((datetime.fromisoformat(expires) - datetime.now(UTC)).total_seconds()))
