"""/buildpacks: what Heroku's CLI asks its registry of buildpacks, for everybody.

https://devcenter.heroku.com/articles/buildpack-registry
"""

from flask import Blueprint, Response, jsonify, request

from paas.domain.builds.buildpacks import ALIASES, HEROKU, OF_HEROKU, OWN
from paas.entrypoints.web.heroku import ids
from paas.entrypoints.web.heroku.account import BEGINNING
from paas.entrypoints.web.heroku.errors import not_found
from paas.entrypoints.web.heroku.platform import Platform

_OURS = "paas"
_SUPPORT = "docs/reference/buildpacks.md"


def register(app: Blueprint, _platform: Platform) -> None:
    """The endpoints."""

    @app.get("/buildpacks")
    def search() -> Response:
        found = [serialize(slug) for slug in slugs()]
        for field in ("namespace", "name"):
            if wanted := request.args.getlist(f"in[{field}][]"):
                found = [one for one in found if one[field] in wanted]
        words = request.args.get("like[description]", "").lower()
        return jsonify([one for one in found if words in str(one["description"]).lower()])

    @app.get("/buildpacks/<slug>")
    def info(slug: str) -> Response:
        return jsonify(serialize(_known(slug)))

    @app.get("/buildpacks/<slug>/revisions")
    def revisions(slug: str) -> Response:
        revision = {
            "created_at": BEGINNING,
            "id": ids.named("buildpack", _known(slug)),
            "license": None,
            "release": 1,
            "status": "published",
        }
        return jsonify([revision])

    @app.get("/buildpacks/<slug>/readme")
    def readme(slug: str) -> Response:
        _known(slug)
        return jsonify({"content": "", "encoding": "utf-8"})


def slugs() -> list[str]:
    """All that can be named like that: the platform's own, and Heroku's repositories."""
    own = {f"{_OURS}/{name}" for name in OWN - set(ALIASES.values())}
    return sorted({*ALIASES, *own, *(f"heroku/{name}" for name in OF_HEROKU)})


def _known(slug: str) -> str:
    if slug not in slugs():
        raise not_found("buildpack")
    return slug


def serialize(slug: str) -> dict[str, object]:
    """A buildpack of the registry."""
    namespace, _, name = slug.partition("/")
    is_own = slug in ALIASES or namespace == _OURS
    repository = HEROKU + name
    return {
        "blob_url": f"urn:buildpack:{slug}",
        "category": "languages",
        "description": "Part of this platform" if is_own else f"From {repository}",
        "id": ids.named("buildpack", slug),
        "name": name,
        "namespace": namespace,
        "source": {"type": "paas"}
        if is_own
        else {"type": "github", "owner": "heroku", "repo": repository.rpartition("/")[2]},
        "support": {"method": "website", "address": _SUPPORT}
        if is_own
        else {"method": "github", "address": f"{repository}/issues"},
    }
