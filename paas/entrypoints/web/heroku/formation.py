"""/apps/{app}/formation"""

import re
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, jsonify

from paas.entrypoints.web.heroku import ids
from paas.entrypoints.web.heroku.apps import reference
from paas.entrypoints.web.heroku.errors import invalid, not_found
from paas.entrypoints.web.heroku.platform import Platform, body, takes
from paas.entrypoints.web.heroku.ranges import listed
from paas.entrypoints.web.heroku.times import time

_QUANTITY = re.compile("([+-]?)([0-9]{1,9})")
# Of a type whose memory is none of Heroku's sizes.
_USUAL_SIZE = "Standard-1X"


def register(app: Blueprint, platform: Platform) -> None:
    """The endpoints."""

    @app.get("/apps/<name>/formation")
    def formation(name: str) -> Response:
        return listed(_rows(platform.ask("ps:scale", app=ids.app(name))), "type", "id")

    @app.get("/apps/<name>/formation/<kind>")
    def info(name: str, kind: str) -> Response:
        return jsonify(_one(_rows(platform.ask("ps:scale", app=ids.app(name))), kind))

    @app.patch("/apps/<name>/formation")
    def change(name: str) -> Response:
        given = body()
        takes(given, "updates")
        updates = given.get("updates")
        if not isinstance(updates, list):
            raise invalid("updates takes a list.")
        return jsonify(_change(platform, name, updates))

    @app.patch("/apps/<name>/formation/<kind>")
    def change_one(name: str, kind: str) -> Response:
        return jsonify(_one(_change(platform, name, [{**body(), "type": kind}]), kind))


def _change(platform: Platform, name: str, updates: list[Any]) -> list[dict[str, object]]:
    """The formation after updates: sizes first, since they restart what they are for."""
    scales, sizes = [], []
    for update in updates:
        if not isinstance(update, dict) or not isinstance(update.get("type"), str):
            raise invalid("An update has a type, and a quantity or a size.")
        takes(update, "type", "quantity", "size")
        if (quantity := update.get("quantity")) is not None:
            scales.append(_scale(update["type"], quantity))
        if (size := update.get("size")) is not None:
            sizes.append(_resize(update["type"], size))
    ref, rows = ids.app(name), None
    if sizes:
        rows = platform.ask("ps:type", app=ref, sizes=sizes)
    if scales or rows is None:
        rows = platform.ask("ps:scale", app=ref, changes=scales)
    return _rows(rows)


def _scale(kind: str, quantity: object) -> str:
    """A word for ps:scale: from 2, "2", "+1" or "-1"."""
    if isinstance(quantity, int) and not isinstance(quantity, bool) and quantity >= 0:
        quantity = str(quantity)
    found = _QUANTITY.fullmatch(quantity) if isinstance(quantity, str) else None
    if found is None:
        raise invalid(f"The quantity of {kind[:63]} is not a number, +N or -N.")
    return f"{kind}{found[1] or '='}{found[2]}"


def _resize(kind: str, size: object) -> str:
    """A word for ps:type."""
    name = size.get("name") if isinstance(size, dict) else size
    if not isinstance(name, str):
        raise invalid(f"The size of {kind[:63]} is not a name.")
    return f"{kind}={name.lower()}"


def _rows(rows: list[dict[str, Any]]) -> list[dict[str, object]]:
    return [serialize(row) for row in rows]


def _one(rows: list[dict[str, object]], kind: str) -> dict[str, object]:
    for row in rows:
        if kind in (row["type"], row["id"]):
            return row
    raise not_found("formation", "Couldn't find that process type.")


def size_name(size: str | None) -> str:
    """A size of Heroku's as it writes it: ``Standard-1X``."""
    if size is None:
        return _USUAL_SIZE
    name, _, kind = size.partition("-")
    return f"{name.capitalize()}-{kind.upper()}" if kind else name.capitalize()


def serialize(row: Mapping[str, Any]) -> dict[str, object]:
    """Heroku's ``formation``."""
    size, at = size_name(row["size"]), time(row["updated_at"])
    return {
        "app": reference(row["app"]),
        "command": row["command"],
        "created_at": at,
        "dyno_size": {"id": ids.named("dyno-size", size), "name": size},
        "id": ids.named("formation", f"{row['app']['id']} {row['type']}"),
        "quantity": row["quantity"],
        "size": size,
        "type": row["type"],
        "updated_at": at,
    }
