"""/addon-services: the kinds of datastore, and their plans"""

from flask import Blueprint, Response, jsonify

from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.datastores.plans import PLANS, SMALL, Plan
from paas.entrypoints.web.heroku import ids
from paas.entrypoints.web.heroku.platform import Platform
from paas.entrypoints.web.heroku.times import BEGINNING

# Heroku's names where it has the same.
NAMES = {
    DatastoreKind.POSTGRESQL: "heroku-postgresql",
    DatastoreKind.MYSQL: "mysql",
    DatastoreKind.REDIS: "heroku-redis",
}
FREE = {"cents": 0, "contract": False, "unit": "month"}
_TIMES = {"created_at": BEGINNING, "updated_at": BEGINNING}


def register(app: Blueprint, platform: Platform) -> None:
    """The endpoints; for those with a token, like all of the API."""

    def known() -> None:
        platform.ask("auth:whoami")

    @app.get("/addon-services")
    def services() -> Response:
        known()
        return jsonify([service(kind) for kind in DatastoreKind])

    @app.get("/addon-services/<service>")
    def info(service: str) -> Response:
        known()
        return jsonify(_service(service))

    @app.get("/addon-services/<service>/plans")
    def plans(service: str) -> Response:
        known()
        return jsonify(_plans(service))

    @app.get("/addon-services/<service>/plans/<plan>")
    def plan_info(service: str, plan: str) -> Response:
        known()
        return jsonify(ids.one_of(_plans(service), plan, "plan", "name", "id"))


def _service(text: str) -> dict[str, object]:
    every = [service(kind) for kind in DatastoreKind]
    return ids.one_of(every, text, "addon_service", "name", "id")


def _plans(text: str) -> list[dict[str, object]]:
    name = _service(text)["name"]
    kind = next(kind for kind, own in NAMES.items() if own == name)
    return [plan(kind, one) for one in PLANS.values()]


def reference(kind: DatastoreKind) -> dict[str, object]:
    """A kind of datastore as a part of something else."""
    return {"id": ids.named("addon-service", kind), "name": NAMES[kind]}


def service(kind: DatastoreKind) -> dict[str, object]:
    """Heroku's ``add-on-service``."""
    return {
        **_TIMES,
        **reference(kind),
        "cli_plugin_name": None,
        "human_name": kind.traits.product,
        "state": "ga",
        "supported_generations": [{"id": ids.named("generation", "cedar"), "name": "cedar"}],
        "supports_multiple_installations": True,
        "supports_sharing": True,
    }


def plan(kind: DatastoreKind, one: Plan) -> dict[str, object]:
    """Heroku's ``plan``."""
    return {
        **_TIMES,
        "addon_service": reference(kind),
        "compliance": None,
        "default": one is SMALL,
        "description": f"{one.memory_mib} MiB of memory",
        "human_name": one.name.capitalize(),
        "id": ids.named("plan", f"{kind}:{one.name}"),
        "installable_inside_private_network": True,
        "installable_outside_private_network": True,
        "name": f"{NAMES[kind]}:{one.name}",
        "price": FREE,
        "space_default": False,
        "state": "ga",
        "visible": True,
    }
