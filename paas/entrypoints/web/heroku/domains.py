"""/apps/APP/domains"""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, jsonify

from paas.entrypoints.web.heroku import certificates, ids
from paas.entrypoints.web.heroku.apps import reference
from paas.entrypoints.web.heroku.errors import invalid
from paas.entrypoints.web.heroku.platform import Platform, body, takes, warn
from paas.entrypoints.web.heroku.ranges import listed
from paas.entrypoints.web.heroku.times import time

# After so many failures a name is failed for Heroku's CLI, which waits for one that is failing.
FAILED_AFTER = 3


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
        wanted = given.get("sni_endpoint")
        if wanted is not None:
            certificates.find(platform, name, wanted)
        made = platform.ask("domains:add", app=ids.app(name), host=given.get("hostname"))
        row = serialize(made["app"], made["domain"])
        if wanted is not None and not _serves(row, wanted):
            warn(_OTHER)
        return jsonify(row), 201

    @app.patch("/apps/<name>/domains/<domain>")
    def update(name: str, domain: str) -> Response:
        given = body()
        takes(given, "sni_endpoint")
        row = ids.one_of(all_domains(name), domain, "domain", "hostname", "id")
        if not _serves(row, given.get("sni_endpoint")):
            raise invalid(_OTHER)
        return jsonify(row)

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


_OTHER = (
    "A certificate is used for the names in it. Where several fit a name, one that was added comes "
    "before automatic ones; one with that very name, before a wildcard; then the one that lasts "
    "longest."
)


def _serves(row: Mapping[str, Any], endpoint: object) -> bool:
    """Whether a domain has the certificate with that name or id; None: it has none."""
    shown = row["sni_endpoint"]
    return endpoint is None if shown is None else endpoint in shown.values()


def serialize(app: Mapping[str, Any], domain: Mapping[str, Any]) -> dict[str, object]:
    """Heroku's ``domain``. A pending one waits for its proof in DNS."""
    at, is_own = time(app["created_at"]), domain["kind"] == "app"
    automatic, certificate = domain["automatic"], domain["certificate"]
    return {
        "acm_status": _acm_status(automatic, certificate),
        "acm_status_reason": (automatic["why"] or None) if automatic else None,
        "app": reference(app),
        "cname": None if is_own else domain["target"],
        "created_at": at,
        "hostname": domain["host"],
        "id": ids.named("domain", f"{app['id']} {domain['host']}"),
        "kind": "heroku" if is_own else "custom",
        "sni_endpoint": certificates.reference(certificate) if certificate else None,
        "status": "pending" if domain["pending"] else "none",
        "updated_at": (time(automatic["at"]) if automatic else None) or at,
    }


def _acm_status(automatic: Mapping[str, Any] | None, certificate: str | None) -> str | None:
    """Heroku's word. A name with a certificate that was added needs no other."""
    if automatic is None:
        return None
    match automatic["state"]:
        case "issued":
            return "cert issued"
        case "unable":
            return "cert issued" if certificate else "failed"
        case "failing":
            return "failed" if automatic["failures"] >= FAILED_AFTER else "failing"
    return "pending"
