"""/addons and /apps/APP/addons: the datastores of apps"""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, jsonify, request

from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.datastores.plans import PLANS
from paas.entrypoints.web.heroku import ids, services
from paas.entrypoints.web.heroku.apps import reference
from paas.entrypoints.web.heroku.errors import invalid, not_found
from paas.entrypoints.web.heroku.platform import Platform, body, takes
from paas.entrypoints.web.heroku.ranges import listed
from paas.entrypoints.web.heroku.times import time

RESOURCE = "add_on"
# Heroku's states; one that cannot be used yet or at present is being provisioned.
_STATES = {
    "ready": "provisioned",
    "removed": "deprovisioning",
    "being destroyed": "deprovisioning",
    "destroyed": "deprovisioned",
}


def register(app: Blueprint, platform: Platform) -> None:
    """The endpoints."""

    @app.get("/addons")
    def every() -> Response:
        return _listed(platform.ask("addons"))

    @app.get("/addons/<addon>")
    def info(addon: str) -> Response:
        return jsonify(serialize(find(platform, addon)))

    @app.get("/addons/<addon>/config")
    def config(addon: str) -> Response:
        found = find(platform, addon)
        values = platform.ask("config:export", app=found["app"]["name"])
        return jsonify([{"name": name, "value": values.get(name)} for name in found["vars"]])

    _add_of_app(app, platform)

    @app.post("/actions/addons/resolve")
    def resolve() -> Response:
        found = _resolved(platform)
        if not found:
            raise not_found(RESOURCE, "Couldn't find that add-on.")
        return jsonify(found)


def _add_of_app(app: Blueprint, platform: Platform) -> None:
    @app.get("/apps/<name>/addons")
    def of_app(name: str) -> Response:
        return _listed(platform.ask("addons", app=ids.app(name)))

    @app.get("/apps/<name>/addons/<addon>")
    def one_of_app(name: str, addon: str) -> Response:
        return jsonify(serialize(find(platform, addon, app=name)))

    @app.post("/apps/<name>/addons")
    def create(name: str) -> tuple[Response, int]:
        made = platform.ask("addons:create", app=ids.app(name), **_order())
        return jsonify(serialize(made)), 201

    @app.delete("/apps/<name>/addons/<addon>")
    def destroy(name: str, addon: str) -> Response:
        gone = platform.ask("addons:destroy", app=ids.app(name), datastore=name_of(platform, addon))
        return jsonify(serialize(gone))


def _resolved(platform: Platform) -> list[dict[str, Any]]:
    """The add-ons that may be meant."""
    given = body()
    takes(given, "addon", "app", "addon_service")
    place, _, word = str(given.get("addon")).rpartition("::")
    app, service = place or given.get("app"), given.get("addon_service")
    rows = platform.ask("addons", **({"app": ids.app(app)} if isinstance(app, str) else {}))
    return [
        found
        for row in rows
        if _fits(row, found := serialize(row), word, app)
        and (service is None or service in found["addon_service"].values())
    ]


def _listed(rows: list[Mapping[str, Any]]) -> Response:
    return listed([serialize(row) for row in rows], "id", "name")


def _fits(row: Mapping[str, Any], found: Mapping[str, Any], word: str, app: object) -> bool:
    """Whether it is the add-on of that name or id; in an app also by attachment or service."""
    if word in (found["name"], found["id"]):
        return True
    attached = [at["name"] for at in row["attachments"] if app in reference(at["app"]).values()]
    kinds = (found["addon_service"]["name"], found["plan"]["name"])
    return word.removesuffix("_URL") in attached or (isinstance(app, str) and word in kinds)


def find(platform: Platform, addon: str, *, app: str | None = None) -> Mapping[str, Any]:
    """A datastore, as the platform tells it, by its name or id. Raises ApiError."""
    rows = platform.ask("addons", **({"app": ids.app(app)} if app is not None else {}))
    for row in rows:
        if addon in (row["name"], ids.numbered("addon", row["id"])):
            return dict(row)
    raise not_found(RESOURCE, "Couldn't find that add-on.")


def name_of(platform: Platform, addon: object) -> str:
    """The name of an add-on. Raises ApiError.

    It is looked up only by its UUID: who may not change it is refused that, and it is recorded.
    """
    if isinstance(addon, dict):
        addon = addon.get("name", addon.get("id"))
    if not isinstance(addon, str):
        raise invalid("addon takes a name or an id.")
    return str(find(platform, addon)["name"]) if ids.is_one(addon) else addon


def _order() -> dict[str, object]:
    """What is to be created."""
    given = body()
    takes(given, "plan", "attachment", "config", "confirm", "name")
    plan, attachment = given.get("plan"), given.get("attachment") or {}
    order = plan.get("name", plan.get("id")) if isinstance(plan, dict) else plan
    if not isinstance(order, str) or not isinstance(attachment, dict):
        raise invalid("plan takes the name of one: heroku-postgresql:small.")
    if given.get("name") is not None:
        raise invalid("The server names datastores itself; --as names the config var.")
    if given.get("config"):
        raise invalid("Options after -- are not supported: paas addons:create --follow")
    return {"order": order, "name": attachment.get("name")}


def serialize(row: Mapping[str, Any]) -> dict[str, Any]:
    """Heroku's ``add-on``, with what Accept-Expansion asks for; nobody pays for it."""
    kind, at = DatastoreKind(row["kind"]), time(row["created_at"])
    plan = services.plan(kind, PLANS[row["plan"]])
    if "plan" not in request.headers.get("Accept-Expansion", ""):
        plan = {name: plan[name] for name in ("id", "name")}
    return {
        "actions": [],
        "addon_service": services.reference(kind),
        "app": reference(row["app"]),
        "billed_price": services.FREE,
        "billing_entity": {**reference(row["app"]), "type": "app"},
        "config_vars": row["vars"],
        "created_at": at,
        "id": ids.numbered("addon", row["id"]),
        "name": row["name"],
        "plan": plan,
        "provider_id": str(row["id"]),
        "provision_message": "",
        "state": _STATES.get(row["state"], "provisioning"),
        "updated_at": at,
        "web_url": None,
    }
