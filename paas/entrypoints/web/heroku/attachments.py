"""/addon-attachments and /apps/APP/addon-attachments: which apps have the URLs of datastores"""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, jsonify, request

from paas.entrypoints.web.heroku import addons, ids
from paas.entrypoints.web.heroku.apps import reference
from paas.entrypoints.web.heroku.errors import invalid, not_found
from paas.entrypoints.web.heroku.platform import Platform, body, takes
from paas.entrypoints.web.heroku.ranges import listed

RESOURCE = "add_on attachment"
# What Heroku's CLI attaches under such a name, in place of another, is promoted.
_PROMOTED = {"DATABASE": "pg:promote", "REDIS": "redis:promote"}


def register(app: Blueprint, platform: Platform) -> None:
    """The endpoints."""

    @app.get("/addon-attachments")
    def every() -> Response:
        return listed(_all(platform), "id", "name")

    @app.get("/addon-attachments/<attachment>")
    def info(attachment: str) -> Response:
        return jsonify(ids.one_of(_all(platform), attachment, RESOURCE, "id"))

    @app.get("/addons/<addon>/addon-attachments")
    def of_addon(addon: str) -> Response:
        return listed(_of(addons.find(platform, addon)), "id", "name")

    @app.get("/apps/<name>/addon-attachments")
    def of_app(name: str) -> Response:
        return listed(_all(platform, name), "id", "name")

    @app.get("/apps/<name>/addon-attachments/<attachment>")
    def one_of_app(name: str, attachment: str) -> Response:
        rows = _all(platform, name)
        return jsonify(ids.one_of(rows, attachment, RESOURCE, "id", "name"))

    @app.post("/addon-attachments")
    def attach() -> tuple[Response, int]:
        made = _attach(platform)
        return jsonify(serialize(made["datastore"], made)), 201

    @app.delete("/addon-attachments/<attachment>")
    def detach(attachment: str) -> Response:
        row: dict[str, Any] = ids.one_of(_all(platform), attachment, RESOURCE, "id")
        platform.ask("addons:detach", app=row["app"]["name"], names=[row["name"]])
        return jsonify(row)

    @app.post("/actions/addon-attachments/resolve")
    def resolve() -> Response:
        found = _resolved(platform)
        if not found:
            raise not_found(RESOURCE, "Couldn't find that add-on attachment.")
        return jsonify(found)


def _resolved(platform: Platform) -> list[dict[str, Any]]:
    """The attachments that may be meant: those of that name, or of the add-on of that name."""
    given = body()
    takes(given, "addon_attachment", "app", "addon_service")
    place, _, word = str(given.get("addon_attachment")).rpartition("::")
    place = place or given.get("app") or ""
    rows = _all(platform, place or None)
    name = word.removesuffix("_URL")
    found = [row for row in rows if word == row["id"] or (place and name == row["name"])]
    return found or [row for row in rows if word in (row["addon"]["name"], row["addon"]["id"])]


def _all(platform: Platform, app: str | None = None) -> list[dict[str, Any]]:
    """The attachments to an app, or to all that the user may see."""
    rows = platform.ask("addons", **({"app": ids.app(app)} if app is not None else {}))
    every = [one for row in rows for one in _of(row)]
    return [one for one in every if app is None or app in one["app"].values()]


def _of(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [serialize(row, attachment) for attachment in row["attachments"]]


def _attach(platform: Platform) -> Mapping[str, Any]:
    """The attachment that is asked for. With ``confirm`` it takes the place of another one."""
    given = body()
    takes(given, "addon", "app", "confirm", "name", "namespace")
    if given.get("namespace") is not None:
        raise invalid("Attachments have no namespaces: paas pg:connection-pooling:attach")
    app, name = given.get("app"), given.get("name")
    app = app.get("name", app.get("id")) if isinstance(app, dict) else app
    if not isinstance(app, str):
        raise invalid("app takes a name or an id.")
    datastore = addons.name_of(platform, given.get("addon"))
    operation = _PROMOTED.get(str(name)) if given.get("confirm") is not None else None
    arguments = {"app": ids.app(app), "datastore": datastore}
    found: Mapping[str, Any] = (
        platform.ask("addons:attach", **arguments, name=name)
        if operation is None
        else platform.ask(operation, **arguments)
    )
    return found


def serialize(datastore: Mapping[str, Any], attachment: Mapping[str, Any]) -> dict[str, Any]:
    """Heroku's ``add-on-attachment``, with what Accept-Inclusion asks for."""
    addon = addons.serialize(datastore)
    app, name = attachment["app"], attachment["name"]
    wanted = request.headers.get("Accept-Inclusion", "")
    found = {
        "addon": {key: addon[key] for key in ("app", "id", "name")},
        "app": reference(app),
        "created_at": addon["created_at"],
        "id": ids.named("attachment", f"{app['id']} {name}"),
        "log_input_url": None,
        "name": name,
        "namespace": None,
        "updated_at": addon["created_at"],
        "web_url": None,
    }
    if "addon:plan" in wanted:
        found["addon"]["plan"] = addon["plan"]
    if "config_vars" in wanted:
        found["config_vars"] = [f"{name}_URL"]
    return found
