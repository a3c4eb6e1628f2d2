"""The Flask application: which path is answered by what."""

from flask import Flask, Response

from paas.entrypoints.web.answers import words
from paas.entrypoints.web.git import RECEIVE_PACK, UPLOAD_PACK, GitHttp


def make_app(git: GitHttp) -> Flask:
    """The application. git: what answers below /APP.git."""
    app = Flask(__name__, static_folder=None)

    @app.get("/<name>.git/info/refs")
    def refs(name: str) -> Response:
        return git.refs(name)

    @app.post(f"/<name>.git/{RECEIVE_PACK}")
    def receive_pack(name: str) -> Response:
        return git.exchange(name, RECEIVE_PACK)

    @app.post(f"/<name>.git/{UPLOAD_PACK}")
    def upload_pack(name: str) -> Response:
        return git.exchange(name, UPLOAD_PACK)

    @app.errorhandler(404)
    @app.errorhandler(405)
    def nothing(_error: Exception) -> Response:
        return words(404, "There is nothing here: the repository of an app is at /APP.git")

    return app
