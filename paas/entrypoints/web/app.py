"""Which host is answered by which application."""

from collections.abc import Iterable
from functools import partial
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask, Response
from werkzeug.wsgi import ClosingIterator

from paas.entrypoints.web.answers import words
from paas.entrypoints.web.asking import Asking
from paas.entrypoints.web.dashboard.app import Place, make_dashboard
from paas.entrypoints.web.git import GitHttp
from paas.entrypoints.web.git_routes import add_git
from paas.entrypoints.web.heroku.app import make_api
from paas.entrypoints.web.heroku.platform import Platform
from paas.entrypoints.web.hooks import PREFIX, Hooks, make_hooks
from paas.entrypoints.web.places import Places
from paas.entrypoints.web.relayed import told

# More than an address may have at the gate, and than webhooks may be; fewer than there are threads.
OPEN_PER_ADDRESS = 24


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

    return told(limited(serve))


def limited(serve: WSGIApplication) -> WSGIApplication:
    """The application, for so many requests of an address at once, before anything is read.

    Each takes a thread: one client that sends its bodies slowly could take them all.
    """
    open_requests = Places(OPEN_PER_ADDRESS)

    def serve_some(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        address = str(environ.get("HTTP_X_REAL_IP", ""))
        if not open_requests.take(address):
            why = f"{OPEN_PER_ADDRESS} requests come from your address already."
            return words(429, why)(environ, start)
        free = partial(open_requests.free, address)
        try:
            return ClosingIterator(serve(environ, start), free)
        except BaseException:
            free()
            raise

    return serve_some


def make_git(git: GitHttp) -> Flask:
    """The application of git's host. git: what answers below /APP.git."""
    app = Flask(__name__, static_folder=None)
    add_git(app, git)

    @app.errorhandler(404)
    @app.errorhandler(405)
    def nothing(_error: Exception) -> Response:
        return words(404, "There is nothing here: the repository of an app is at /APP.git")

    return app
