"""/apps/{app}/buildpack-installations"""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, jsonify

from paas.domain.builds.buildpacks import ALIASES, HEROKU, OF_HEROKU, OWN
from paas.entrypoints.web.heroku import ids
from paas.entrypoints.web.heroku.errors import invalid
from paas.entrypoints.web.heroku.platform import Platform, body, takes

# Heroku's CLI takes names with a namespace only; this is of what Heroku has not.
_OURS = "paas/"
_URN = "urn:buildpack:"
_OURS_BY_NAME = {name: source for source, name in ALIASES.items()}


def register(app: Blueprint, platform: Platform) -> None:
    """The endpoints."""

    @app.get("/apps/<name>/buildpack-installations")
    def installed(name: str) -> Response:
        return jsonify(_listed(platform.ask("buildpacks", app=ids.app(name))))

    @app.put("/apps/<name>/buildpack-installations")
    def update(name: str) -> Response:
        given, ref = body(), ids.app(name)
        takes(given, "updates")
        updates = given.get("updates")
        if not isinstance(updates, list):
            raise invalid("updates takes a list of buildpacks.")
        wanted = [_wanted(one) for one in updates]
        if not wanted:
            return jsonify(platform.ask("buildpacks:clear", app=ref))
        return jsonify(_listed(platform.ask("buildpacks:set", app=ref, buildpacks=wanted)))


def _wanted(update: object) -> str:
    """A buildpack as our commands name it.

    Heroku's CLI sends none where the registry did not have it. Raises ApiError.
    """
    named = update.get("buildpack") if isinstance(update, dict) else None
    if isinstance(named, dict):  # as heroku3 and Terraform have it
        named = named.get("url") or named.get("name")
    if not isinstance(named, str):
        raise invalid(
            "There is no such buildpack here: heroku buildpacks:search shows those that can be "
            "named, and any other is named by the https address of its git repository."
        )
    named = named.removeprefix(_URN)
    return named.removeprefix(_OURS) if named.removeprefix(_OURS) in OWN else named


def slug_of(source: str, named: str) -> str:
    """``namespace/name`` of one that the registry has; of any other, its address."""
    if source in OWN:
        return _OURS_BY_NAME.get(source, _OURS + source)
    short = source.removeprefix(HEROKU)
    return f"heroku/{short}" if short in OF_HEROKU and "://" not in named else source


def _listed(packs: list[Mapping[str, Any]]) -> list[dict[str, object]]:
    return [serialize(pack, place) for place, pack in enumerate(packs)]


def serialize(pack: Mapping[str, Any], ordinal: int) -> dict[str, object]:
    """Heroku's ``buildpack-installation``."""
    name = slug_of(pack["source"], pack["named"])
    is_listed = "://" not in name and not name.startswith("/")
    return {
        "buildpack": {"name": name, "url": _URN + name if is_listed else name},
        "ordinal": ordinal,
    }
