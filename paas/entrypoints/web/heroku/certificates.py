"""/apps/APP/sni-endpoints: the certificates of an app; and /apps/APP/acm: the automatic ones"""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, jsonify

from paas.entrypoints.web.heroku import apps, ids
from paas.entrypoints.web.heroku.errors import invalid, not_found
from paas.entrypoints.web.heroku.platform import Platform, body, takes
from paas.entrypoints.web.heroku.ranges import listed
from paas.entrypoints.web.heroku.times import time

# Heroku's names begin with a letter, the server's ids with a number.
_PREFIX = "cert-"
_RESOURCE = "sni_endpoint"


def register(app: Blueprint, platform: Platform) -> None:
    """The endpoints."""

    @app.get("/apps/<name>/sni-endpoints")
    def endpoints(name: str) -> Response:
        return listed(_all(platform, name), "id", "name")

    @app.get("/apps/<name>/sni-endpoints/<endpoint>")
    def info(name: str, endpoint: str) -> Response:
        return jsonify(find(platform, name, endpoint))

    @app.post("/apps/<name>/sni-endpoints")
    def add(name: str) -> tuple[Response, int]:
        made = platform.ask("certs:add", app=ids.app(name), pem=_pem())
        return jsonify(serialize(made["app"], made["certificate"])), 201

    @app.patch("/apps/<name>/sni-endpoints/<endpoint>")
    def update(name: str, endpoint: str) -> Response:
        former = _id(platform, name, endpoint)
        made = platform.ask("certs:add", app=ids.app(name), pem=_pem(), replaces=former)
        return jsonify(serialize(made["app"], made["certificate"]))

    @app.delete("/apps/<name>/sni-endpoints/<endpoint>")
    def remove(name: str, endpoint: str) -> Response:
        id = _id(platform, name, endpoint)
        gone = platform.ask("certs:remove", app=ids.app(name), certificate=id)
        return jsonify(serialize(gone["app"], gone["certificate"]))

    _add_automatic(app, platform)


def _add_automatic(app: Blueprint, platform: Platform) -> None:
    def switch(name: str, on: bool) -> Response:
        found = platform.ask("certs:auto", app=ids.app(name), on=on)
        return jsonify(apps.serialize(found, platform))

    @app.post("/apps/<name>/acm")
    def switch_on(name: str) -> Response:
        return switch(name, True)

    @app.patch("/apps/<name>/acm")
    def refresh(name: str) -> Response:
        takes(body(), "acm_refresh")
        return switch(name, True)

    @app.delete("/apps/<name>/acm")
    def switch_off(name: str) -> Response:
        return switch(name, False)


def find(platform: Platform, name: str, endpoint: object) -> dict[str, object]:
    """A certificate of an app, by its name or id. Raises ApiError."""
    return ids.one_of(_all(platform, name), str(endpoint), _RESOURCE, "name", "id")


def _all(platform: Platform, name: str) -> list[dict[str, object]]:
    found = platform.ask("certs", app=ids.app(name))
    return [serialize(found["app"], row) for row in found["certificates"]]


def _id(platform: Platform, name: str, endpoint: str) -> str:
    """The server's id of a certificate. Raises ApiError.

    It is looked up only by the UUID: who may not change it is refused that, and it is recorded.
    """
    if ids.is_one(endpoint):
        endpoint = str(find(platform, name, endpoint)["name"])
    if not endpoint.startswith(_PREFIX):
        raise not_found(_RESOURCE)
    return endpoint.removeprefix(_PREFIX)


def _pem() -> str:
    """What was sent, as one file."""
    given = body()
    takes(given, "certificate_chain", "private_key")
    parts = [given.get(name) for name in ("certificate_chain", "private_key")]
    texts = [part for part in parts if isinstance(part, str)]
    if len(texts) != len(parts):
        raise invalid("A certificate needs its certificate_chain and its private_key, as PEM.")
    return "\n".join(texts)


def serialize(app: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, object]:
    """Heroku's ``sni-endpoint``. Whether its issuer is trusted is not verified."""
    at = time(found["added_at"])
    return {
        "app": apps.reference(app),
        "certificate_chain": found["chain"],
        "created_at": at,
        "display_name": None,
        "domains": [ids.named("domain", f"{app['id']} {host}") for host in found["shown_for"]],
        **reference(found["id"]),
        "ssl_cert": {
            "acm": found["kind"] == "acme",
            "ca_signed?": not found["self_signed"],
            "cert_domains": found["names"],
            "expires_at": time(found["expires_at"]),
            "id": ids.named("ssl-cert", found["id"]),
            "issuer": found["issuer"],
            "self_signed?": found["self_signed"],
            "starts_at": time(found["not_before"]),
            "subject": found["subject"],
        },
        "updated_at": at,
    }


def reference(id: str) -> dict[str, object]:
    """A certificate as a part of something else."""
    return {"id": ids.named("sni-endpoint", id), "name": f"{_PREFIX}{id}"}
