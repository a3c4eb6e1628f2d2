"""Which host is answered by which application."""

from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask, Response

from paas.entrypoints.web.answers import words
from paas.entrypoints.web.asking import Asking
from paas.entrypoints.web.dashboard.app import Place, make_dashboard
from paas.entrypoints.web.git import GitHttp
from paas.entrypoints.web.git_routes import add_git
from paas.entrypoints.web.heroku.app import make_api
from paas.entrypoints.web.heroku.platform import Platform
from paas.entrypoints.web.hooks import PREFIX, Hooks, make_hooks


def make_app(
    git: GitHttp, platform: Platform, git_host: str, hooks: Hooks, dashboard: Place
) -> WSGIApplication:
    """git alone at its own host, and the dashboard at its own.

    The API, and git as well, at the others that the proxy sends. Webhooks arrive at each.
    """
    for_hooks, api = make_hooks(hooks), make_api(platform, git)
    asking = Asking(platform.operate, platform.places, platform.guesses)
    by_host = {git_host: make_git(git), dashboard.host: make_dashboard(asking, dashboard)}

    def serve(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        if str(environ.get("PATH_INFO", "")).startswith(PREFIX):
            return for_hooks(environ, start)
        host = str(environ.get("HTTP_HOST", "")).partition(":")[0].lower()
        return by_host.get(host, api)(environ, start)

    return serve


def make_git(git: GitHttp) -> Flask:
    """The application of git's host. git: what answers below /APP.git."""
    app = Flask(__name__, static_folder=None)
    add_git(app, git)

    @app.errorhandler(404)
    @app.errorhandler(405)
    def nothing(_error: Exception) -> Response:
        return words(404, "There is nothing here: the repository of an app is at /APP.git")

    return app
