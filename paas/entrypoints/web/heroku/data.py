"""What Heroku has at a host of its own: figures of datastores, and dumps of PostgreSQL

Source: the requests of Heroku's CLI, since Heroku has published no description.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from flask import Blueprint, Response, jsonify

from paas.domain.datastores.kinds import DatastoreKind
from paas.entrypoints.web.heroku import addons, ids
from paas.entrypoints.web.heroku.errors import FORBIDDEN, ApiError, invalid, not_found
from paas.entrypoints.web.heroku.platform import Platform
from paas.entrypoints.web.heroku.times import time

_DATABASE = "/client/v11/databases/<addon>"
_TRANSFERS = "/client/v11/apps/<name>/transfers"


def register(app: Blueprint, platform: Platform) -> None:
    """The endpoints."""
    _add_databases(app, platform)
    _add_transfers(app, platform)


def _add_databases(app: Blueprint, platform: Platform) -> None:
    def postgresql(addon: str) -> Mapping[str, Any]:
        return _database(platform, addon, DatastoreKind.POSTGRESQL)

    @app.get(_DATABASE)
    def database(addon: str) -> Response:
        return jsonify(serialize(postgresql(addon)))

    @app.get(f"{_DATABASE}/wait_status")
    def wait_status(addon: str) -> Response:
        found = postgresql(addon)
        return jsonify({"message": _status(found).lower(), "waiting?": not _is_ready(found)})

    @app.get("/postgres/v0/databases/<addon>/credentials/<credential>")
    def credentials(addon: str, credential: str) -> Response:
        found = postgresql(addon)
        if credential != "default":
            raise not_found("credential")
        if found["url"] is None:
            raise ApiError(FORBIDDEN, "The password is for those who may configure the app.")
        return jsonify(_credential(found))

    @app.get("/redis/v0/databases/<addon>")
    def redis(addon: str) -> Response:
        return jsonify(serialize(_database(platform, addon, DatastoreKind.REDIS)))


def _add_transfers(app: Blueprint, platform: Platform) -> None:
    def all_transfers(name: str) -> list[dict[str, Any]]:
        return [transfer(row) for row in platform.ask("pg:backups", app=ids.app(name))]

    @app.post(f"{_DATABASE}/backups")
    def capture(addon: str) -> tuple[Response, int]:
        found = addons.find(platform, addon)
        name = found["app"]["name"]
        made = platform.ask("pg:backups:capture", app=name, datastore=found["name"])
        return jsonify(transfer(made)), 201

    @app.get(_TRANSFERS)
    def transfers(name: str) -> Response:
        return jsonify(all_transfers(name))

    @app.get(f"{_TRANSFERS}/<number>")
    def one_transfer(name: str, number: str) -> Response:
        for row in all_transfers(name):
            if number in (str(row["num"]), row["uuid"]):
                return jsonify(row)
        raise not_found("transfer", "Couldn't find that backup.")

    @app.post(f"{_TRANSFERS}/<_number>/actions/public-url")
    def public_url(name: str, _number: str) -> Response:
        all_transfers(name)
        raise invalid("Backups have no public URLs: paas pg:backups:download")


def _database(platform: Platform, addon: str, kind: DatastoreKind) -> Mapping[str, Any]:
    """What is known of a datastore of that kind. Raises ApiError."""
    found = addons.find(platform, addon)
    if found["kind"] != kind:
        raise not_found("database")
    info = platform.ask("addons:info", app=found["app"]["name"], datastore=found["name"])
    return dict(info)


def _is_ready(found: Mapping[str, Any]) -> bool:
    return found["state"] == "ready" and bool(found["answers"])


def _status(found: Mapping[str, Any]) -> str:
    if found["state"] != "ready":
        return str(found["state"]).capitalize()
    return "Available" if found["answers"] else "Does not answer"


def serialize(found: Mapping[str, Any]) -> dict[str, object]:
    """The figures of a datastore: rows of a table, each a name and its values."""
    rows = {
        "Plan": found["plan"],
        "Status": _status(found),
        "Version": found["version"],
        "Created": time(found["created_at"]),
        **found["figures"],
        **({"Following": found["follows"]} if found["follows"] else {}),
    }
    return {
        "following": found["follows"],
        "info": [{"name": name, "values": [value]} for name, value in rows.items()],
        "leader": found["follows"],
        "name": found["name"],
        "plan": found["plan"],
        "resource_url": found["url"] or "",
    }


def _credential(found: Mapping[str, Any]) -> dict[str, object]:
    """The login that apps use. Its host exists for the apps of the server only."""
    parts = urlsplit(found["url"])
    login = {
        "password": unquote(parts.password or ""),
        "state": "active",
        "user": parts.username,
    }
    return {
        "credentials": [login],
        "database": parts.path.removeprefix("/"),
        "host": parts.hostname,
        "name": "default",
        "port": parts.port,
        "state": "active",
        "uuid": ids.numbered("credential", found["id"]),
    }


def transfer(row: Mapping[str, Any]) -> dict[str, Any]:
    """A dump, which is a copy to a store of backups there."""
    started, ended = time(row["started_at"]), time(row["ended_at"])
    failed = [{"created_at": ended, "message": row["why"]}] if row["why"] else []
    return {
        "created_at": started,
        "finished_at": ended,
        "from_name": row["datastore"],
        "from_type": "pg_dump",
        "logs": failed,
        "num": row["id"],
        "options": {},
        "processed_bytes": row["size_bytes"],
        "schedule": None if row["by_hand"] else {"uuid": ids.named("schedule", row["datastore"])},
        "source_bytes": row["size_bytes"],
        "started_at": started,
        "succeeded": row["state"] == "done",
        "to_name": "BACKUP",
        "to_type": "gof3r",
        "updated_at": ended or started,
        "uuid": ids.numbered("transfer", row["id"]),
        "warnings": 0,
    }
