"""/login, /login/LINK, /logout: the session begins with a token or a link, and ends."""

from contextlib import suppress

from flask import Blueprint, Response, render_template, request

from paas.entrypoints.web.dashboard.pages import see
from paas.entrypoints.web.dashboard.visits import LoggedOutError, RefusedError, Visits

_REFUSED = "This token is not valid: it is mistyped, or it was revoked, or it has expired."
_LINK_REFUSED = "This link is not valid: it was used before, or it is too old."
_TOKEN_MAX = 200


def register(app: Blueprint, visits: Visits) -> None:
    """The pages."""

    @app.get("/login")
    def show() -> str | Response:
        if visits.cookies.session():
            return see("/")
        return render_template("login.html", problem=None)

    @app.post("/login")
    def by_token() -> Response:
        try:
            return _begin(visits, request.form.get("token", "").strip())
        except RefusedError:
            return Response(render_template("login.html", problem=_REFUSED), 401)

    # Programs that preview links must not use them up: only the form logs in.
    @app.get("/login/<link>")
    def show_link(link: str) -> str:
        return render_template("link.html", link=link)

    @app.post("/login/<link>")
    def by_link(link: str) -> Response:
        try:
            return _begin(visits, link)
        except RefusedError:
            return Response(render_template("login.html", problem=_LINK_REFUSED), 401)

    @app.post("/logout")
    def log_out() -> Response:
        with suppress(LoggedOutError):  # it has ended already
            visits.ask("dashboard:close")
        answer = see("/login")
        visits.cookies.log_out(answer)
        return answer


def _begin(visits: Visits, secret: str) -> Response:
    """A session for a token or a link. Raises RefusedError if it is not valid."""
    if not secret or len(secret) > _TOKEN_MAX or not (secret.isascii() and secret.isprintable()):
        raise RefusedError(_REFUSED, None)
    opened = visits.ask_as(secret, "dashboard:open")
    answer = see("/")
    visits.cookies.log_in(answer, opened["token"], opened["seconds"])
    return answer
