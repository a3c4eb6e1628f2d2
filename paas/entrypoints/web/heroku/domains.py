"""/apps/APP/domains"""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, jsonify

from paas.entrypoints.web.heroku import ids
from paas.entrypoints.web.heroku.apps import reference
from paas.entrypoints.web.heroku.errors import invalid
from paas.entrypoints.web.heroku.platform import Platform, body, takes
from paas.entrypoints.web.heroku.ranges import listed
from paas.entrypoints.web.heroku.times import time


def register(app: Blueprint, platform: Platform) -> None:
    """The endpoints."""

    def all_domains(name: str) -> list[dict[str, object]]:
        found = platform.ask("domains", app=ids.app(name))
        return [serialize(found["app"], row) for row in found["domains"]]

    @app.get("/apps/<name>/domains")
    def domains(name: str) -> Response:
        return listed(all_domains(name), "id", "hostname")

    @app.get("/apps/<name>/domains/<domain>")
    def info(name: str, domain: str) -> Response:
        return jsonify(ids.one_of(all_domains(name), domain, "domain", "hostname", "id"))

    @app.post("/apps/<name>/domains")
    def add(name: str) -> tuple[Response, int]:
        given = body()
        takes(given, "hostname", "sni_endpoint")
        if given.get("sni_endpoint") is not None:
            raise invalid("Certificates belong to host names by themselves: paas certs:auto on")
        made = platform.ask("domains:add", app=ids.app(name), host=given.get("hostname"))
        return jsonify(serialize(made["app"], made["domain"])), 201

    @app.delete("/apps/<name>/domains/<domain>")
    def remove(name: str, domain: str) -> Response:
        # By its id only if it is one: who may not remove it is refused that, and it is recorded.
        host = (
            ids.one_of(all_domains(name), domain, "domain", "hostname", "id")["hostname"]
            if ids.is_one(domain)
            else domain
        )
        gone = platform.ask("domains:remove", app=ids.app(name), host=host)
        return jsonify(serialize(gone["app"], gone["domain"]))


def serialize(app: Mapping[str, Any], domain: Mapping[str, Any]) -> dict[str, object]:
    """Heroku's ``domain``. A pending one waits for its proof in DNS."""
    at, is_own = time(app["created_at"]), domain["kind"] == "app"
    return {
        "acm_status": None,
        "acm_status_reason": None,
        "app": reference(app),
        "cname": None if is_own else domain["target"],
        "created_at": at,
        "hostname": domain["host"],
        "id": ids.named("domain", f"{app['id']} {domain['host']}"),
        "kind": "heroku" if is_own else "custom",
        "sni_endpoint": None,
        "status": "pending" if domain["pending"] else "none",
        "updated_at": at,
    }
