"""The Flask application of the API: its endpoints, and what all answers have in common."""

import secrets
import sys
import traceback
from collections.abc import Callable

from flask import Blueprint, Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from paas.entrypoints.web import prometheus
from paas.entrypoints.web.git import GitHttp
from paas.entrypoints.web.git_routes import add_git
from paas.entrypoints.web.heroku import (
    account,
    addons,
    apps,
    attachments,
    authorizations,
    buildpacks,
    builds,
    certificates,
    collaborators,
    config,
    data,
    domains,
    dynos,
    formation,
    keys,
    log_drains,
    log_sessions,
    not_ours,
    pipelines,
    promotions,
    registry,
    releases,
    runs,
    services,
    sources,
)
from paas.entrypoints.web.heroku.errors import FORBIDDEN, INTERNAL, NOT_FOUND, ApiError
from paas.entrypoints.web.heroku.platform import WARNINGS, Platform
from paas.entrypoints.web.raw_paths import Segment, by_raw_path

_WARNINGS_MAX = 1_000
NOUNS: tuple[Callable[[Blueprint, Platform], None], ...] = (
    account.register,
    addons.register,
    apps.register,
    attachments.register,
    authorizations.register,
    buildpacks.register,
    builds.register,
    certificates.register,
    collaborators.register,
    config.register,
    data.register,
    domains.register,
    dynos.register,
    formation.register,
    keys.register,
    log_drains.register,
    log_sessions.register,
    not_ours.register,
    pipelines.register,
    prometheus.register,
    promotions.register,
    registry.register,
    releases.register,
    runs.register,
    services.register,
    sources.register,
)


def make_api(platform: Platform, git: GitHttp) -> Flask:
    """The application. git: what answers below /APP.git, as at its own host."""
    app = Flask(__name__, static_folder=None)
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.url_map.converters["default"] = Segment
    app.json.sort_keys = False  # type: ignore[attr-defined]
    add_git(app, git)
    for register in NOUNS:
        noun = Blueprint(register.__module__.rpartition(".")[2], __name__)
        register(noun, platform)
        app.register_blueprint(noun)
    app.before_request(_refuse_websites)
    app.register_error_handler(ApiError, lambda error: error.response)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _internal_error)
    app.after_request(_finish)
    app.wsgi_app = by_raw_path(app.wsgi_app)  # type: ignore[assignment, method-assign]
    return app


def _refuse_websites() -> Response | None:
    """A browser may send the token that it was given here for a page of another site, too."""
    origin, site = (request.headers.get(name) for name in ("Origin", "Sec-Fetch-Site"))
    if origin is None and site in (None, "none"):
        return None
    return ApiError(FORBIDDEN, "This is for programs: requests of websites are refused.").response


def _http_error(error: HTTPException) -> Response:
    """What Flask itself refuses: a path or method that is not there."""
    if error.code in (404, 405):
        return ApiError(NOT_FOUND, "The requested API endpoint was not found.").response
    answer = ApiError("invalid_params", error.description or "The request is not valid.").response
    answer.status_code = error.code or 400
    return answer


def _internal_error(_error: Exception) -> Response:
    print(traceback.format_exc(), file=sys.stderr, flush=True)
    return ApiError(INTERNAL, "This failed because of an internal error.").response


def _finish(answer: Response) -> Response:
    """What each answer has."""
    if warnings := g.get(WARNINGS):
        text = " ".join(warnings)[:_WARNINGS_MAX]
        answer.headers["Warning-Message"] = text.encode("ascii", "replace").decode()
    answer.headers["Request-Id"] = secrets.token_hex(16)
    answer.headers.setdefault("Cache-Control", "private, no-store")
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer
