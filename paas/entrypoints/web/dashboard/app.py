"""The Flask application of the dashboard: its pages, and what all answers have in common."""

import hashlib
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, g, redirect, render_template, request, send_file
from jinja2 import StrictUndefined
from werkzeug.exceptions import HTTPException

from paas.entrypoints.web.asking import Asking
from paas.entrypoints.web.dashboard import (
    access,
    account,
    config,
    cron,
    datastores,
    deploys,
    domains,
    home,
    login,
    logs,
    metrics,
    notifications,
    overview,
    releases,
    server,
    words,
)
from paas.entrypoints.web.dashboard.cookies import Cookies
from paas.entrypoints.web.dashboard.visits import WARNINGS, LoggedOutError, PageError, Visits

_FOLDER = Path(__file__).parent
_FORM_MAX_BYTES = 1024**2
_FORM_PARTS_MAX = 1_000
# Nothing but our own files: no inline scripts or styles, no frames, no forms to elsewhere.
CONTENT = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    # With no-referrer, a form would be sent with the Origin "null".
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
FILES = {
    "style.css": "text/css",
    "live.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}
_YEAR_S = 31_536_000
NOUNS: tuple[Callable[[Blueprint, Visits], None], ...] = (
    login.register,
    home.register,
    overview.register,
    deploys.register,
    releases.register,
    config.register,
    logs.register,
    metrics.register,
    domains.register,
    datastores.register,
    cron.register,
    access.register,
    notifications.register,
    account.register,
    server.register,
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the dashboard is. host: its name. secure: whether it is at https."""

    host: str
    secure: bool


def make_dashboard(asking: Asking, place: Place) -> Flask:
    """The application."""
    app = Flask(__name__, static_folder=None, template_folder="templates")
    app.config["MAX_CONTENT_LENGTH"] = _FORM_MAX_BYTES
    app.config["MAX_FORM_MEMORY_SIZE"] = _FORM_MAX_BYTES
    app.config["MAX_FORM_PARTS"] = _FORM_PARTS_MAX
    cookies = Cookies(place.secure)
    visits = Visits(asking, cookies)
    _templates(app, cookies)
    for register in NOUNS:
        noun = Blueprint(register.__module__.rpartition(".")[2], __name__)
        register(noun, visits)
        app.register_blueprint(noun)
    _files(app)
    app.before_request(partial(_refuse_others, place, cookies))
    app.register_error_handler(LoggedOutError, lambda _: _logged_out(cookies))
    app.register_error_handler(PageError, _error_page)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _internal_error)
    app.after_request(partial(_finish, cookies))
    return app


def _templates(app: Flask, cookies: Cookies) -> None:
    """What each template can use. All are compiled now, not when the first visitor waits."""
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(words.FILTERS)
    app.jinja_env.globals["proof"] = cookies.proof
    app.jinja_env.globals["is_logged_in"] = lambda: bool(cookies.session())
    app.jinja_env.globals["warnings"] = lambda: g.get(WARNINGS, [])
    app.jinja_env.globals["said"] = lambda: words.SAID.get(request.args.get("said", ""))
    app.jinja_env.globals["file"] = {name: _address(name) for name in FILES}
    for name in app.jinja_env.list_templates():
        app.jinja_env.get_template(name)


def _files(app: Flask) -> None:
    """Style, script and icon: they have new addresses when they change, so browsers keep them."""

    @app.get("/files/<_digest>/<name>")
    def file(_digest: str, name: str) -> Response:
        if name not in FILES:
            raise PageError(404, "There is no such page.")
        answer = send_file(_FOLDER / "static" / name, mimetype=FILES[name], max_age=_YEAR_S)
        answer.headers["Cache-Control"] = f"public, max-age={_YEAR_S}, immutable"
        return answer


def _address(name: str) -> str:
    digest = hashlib.sha256((_FOLDER / "static" / name).read_bytes()).hexdigest()[:12]
    return f"/files/{digest}/{name}"


def _refuse_others(place: Place, cookies: Cookies) -> None:
    """Another site can have a browser send a request here, but no form with our proof in it.

    Browsers that tell where a request comes from are taken at their word first.
    """
    if request.host.partition(":")[0].lower() != place.host:
        raise PageError(404, "There is no such page.")
    if request.method in ("GET", "HEAD"):
        return
    origin, site = (request.headers.get(name) for name in ("Origin", "Sec-Fetch-Site"))
    foreign = origin is not None and _host_of(origin) != place.host
    if foreign or site not in (None, "same-origin"):
        raise PageError(403, "This form was sent by another website, so nothing was changed.")
    if not cookies.is_proven(request.form.get("proof", "")):
        raise PageError(
            403,
            "This form is of an earlier session, so nothing was changed.",
            "Go back, load the page again, and repeat what you did.",
        )


def _host_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).hostname
    except ValueError:
        return None


def _logged_out(cookies: Cookies) -> Response:
    answer = redirect("/login", 303)
    assert isinstance(answer, Response)
    if cookies.session():
        cookies.log_out(answer)
    return answer


def _error_page(error: PageError) -> Response:
    answer = Response(render_template("error.html", error=error), error.status)
    if error.wait_s is not None:
        answer.headers["Retry-After"] = str(error.wait_s)
    return answer


def _http_error(error: HTTPException) -> Response:
    """What Flask itself refuses: a path or method that is not there, a form that is too large."""
    if error.code in (404, 405):
        return _error_page(PageError(404, "There is no such page."))
    return _error_page(PageError(error.code or 400, error.description or "That is not valid."))


def _internal_error(_error: Exception) -> Response:
    print(traceback.format_exc(), file=sys.stderr, flush=True)
    return _error_page(PageError(500, "This failed because of an internal error."))


def _finish(cookies: Cookies, answer: Response) -> Response:
    """What each answer has."""
    cookies.finish(answer)
    answer.headers.update(HEADERS)
    answer.headers.setdefault("Cache-Control", "private, no-store")
    return answer
