"""/apps/{app}/config-vars, and those of a release"""

from flask import Blueprint, Response, jsonify

from paas.entrypoints.web.heroku import ids
from paas.entrypoints.web.heroku.errors import invalid
from paas.entrypoints.web.heroku.platform import Platform, body
from paas.entrypoints.web.heroku.releases import version_of


def register(app: Blueprint, platform: Platform) -> None:
    """The endpoints."""

    @app.get("/apps/<name>/config-vars")
    def config(name: str) -> Response:
        return jsonify(platform.ask("config:export", app=ids.app(name)))

    @app.get("/apps/<name>/releases/<release>/config-vars")
    def config_of_release(name: str, release: str) -> Response:
        version = version_of(release)
        return jsonify(platform.ask("config:export", app=ids.app(name), version=version))

    @app.patch("/apps/<name>/config-vars")
    def change(name: str) -> Response:
        given, ref = body(), ids.app(name)
        for var, value in given.items():
            if value is not None and not isinstance(value, str):
                raise invalid(f"The value of {var[:200]} is not a text.")
        values = {var: value for var, value in given.items() if value is not None}
        gone = [var for var, value in given.items() if value is None]
        if gone and not values:
            return jsonify(platform.ask("config:unset", app=ref, names=gone))
        return jsonify(platform.ask("config:set", app=ref, values=values, unset=gone))
