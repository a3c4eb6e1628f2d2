"""/sources: places for archives, which are filled by whoever has the secret in the URL."""

import re

from flask import Blueprint, Response, jsonify, request

from paas.entrypoints.web import gate
from paas.entrypoints.web.bodies import PIECE_BYTES
from paas.entrypoints.web.heroku.errors import (
    CONFLICT,
    NOT_FOUND,
    TOO_LARGE,
    TOO_MANY,
    UNAVAILABLE,
    ApiError,
    not_found,
)
from paas.entrypoints.web.heroku.platform import Platform
from paas.entrypoints.web.places import Places

PATH = "/sources/"
# Each takes a thread of the web process for as long as its client sends.
_PER_ADDRESS, _TOTAL = 4, 16
_SECRET = re.compile("[A-Za-z0-9_-]{43}")
_IDS = {404: NOT_FOUND, 409: CONFLICT, 413: TOO_LARGE, 429: TOO_MANY}


def register(app: Blueprint, platform: Platform) -> None:
    """The endpoints."""
    places = Places(_PER_ADDRESS, _TOTAL)

    @app.post("/sources")
    def create() -> tuple[Response, int]:
        secret = platform.ask("sources:create")["secret"]
        url = f"{platform.own_base}{PATH}{secret}"
        return jsonify({"source_blob": {"get_url": url, "put_url": url}}), 201

    @app.put(f"{PATH}<secret>")
    def put(secret: str) -> Response:
        if not _SECRET.fullmatch(secret):
            raise not_found("source")
        address = request.headers.get("X-Real-IP", "")
        if not places.take(address):
            raise ApiError(TOO_MANY, "Too many archives are being uploaded; try again later.")
        try:
            platform.store(secret, iter(lambda: request.stream.read(PIECE_BYTES), b""))
        except gate.RefusedError as refused:
            raise ApiError(_IDS.get(refused.status, UNAVAILABLE), refused.words) from refused
        except gate.GateDownError as error:
            why = "The platform's gate does not answer; upload the archive again."
            raise ApiError(UNAVAILABLE, why) from error
        finally:
            places.free(address)
        return Response("", 200)


def secret_in(url: str, platform: Platform) -> str | None:
    """The secret of a place of this server, if it is the URL of one."""
    secret = url.removeprefix(f"{platform.own_base}{PATH}")
    return secret if secret != url and _SECRET.fullmatch(secret) else None
