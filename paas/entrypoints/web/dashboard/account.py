"""/account: who has logged in, with which tokens and keys."""

from flask import Blueprint, Response, redirect, render_template

from paas.entrypoints.web.dashboard.visits import PageError, Visits


def register(app: Blueprint, visits: Visits) -> None:
    """The page and its form."""

    @app.get("/account")
    def show() -> str:
        user = visits.ask("auth:whoami")
        tokens, keys, teams = [], [], []
        if not user["limited"]:
            tokens, keys, teams = (visits.ask(what) for what in ("tokens", "keys", "teams"))
        return render_template("account.html", user=user, tokens=tokens, keys=keys, teams=teams)

    @app.post("/account/tokens/<prefix>/revoke")
    def revoke(prefix: str) -> Response:
        visits.ask("tokens:revoke", prefix=prefix)
        answer = redirect("/account?said=revoked", 303)
        if not isinstance(answer, Response):
            raise PageError(500, "This failed because of an internal error.")
        return answer
