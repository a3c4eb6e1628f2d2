"""What Heroku has and this server has not, or of which it has one: for clients that ask for it."""

from flask import Blueprint, Response, jsonify

from paas.entrypoints.web.heroku import ids
from paas.entrypoints.web.heroku.apps import REGION, STACK
from paas.entrypoints.web.heroku.platform import Platform
from paas.entrypoints.web.heroku.times import BEGINNING


def register(app: Blueprint, platform: Platform) -> None:
    """The endpoints."""
    _add_server(app, platform)

    def of_app(name: str) -> None:
        platform.ask("apps:info", app=ids.app(name))

    @app.get("/apps/<name>/features")
    def nothing_of_app(name: str) -> Response:
        of_app(name)
        return jsonify([])


def _add_server(app: Blueprint, platform: Platform) -> None:
    """What is about the server as a whole; for those with a token, like all of it."""

    def known() -> None:
        platform.ask("auth:whoami")

    @app.get("/account/rate-limits")
    def rate_limits() -> Response:
        known()
        return jsonify({"remaining": 4_500})

    @app.get("/account/features")
    @app.get("/teams")
    @app.get("/spaces")
    def nothing() -> Response:
        known()
        return jsonify([])

    @app.get("/stacks")
    def stacks() -> Response:
        known()
        times = {"created_at": BEGINNING, "updated_at": BEGINNING}
        return jsonify([{**STACK, **times, "default": True, "state": "public"}])

    @app.get("/regions")
    def regions() -> Response:
        known()
        return jsonify([region(platform.domain)])


def region(domain: str) -> dict[str, object]:
    """Heroku's ``region``: this server."""
    return {
        **REGION,
        "country": "",
        "created_at": BEGINNING,
        "description": domain,
        "locale": "",
        "private_capable": False,
        "provider": {"name": "paas", "region": "us-east-1"},
        "updated_at": BEGINNING,
    }
