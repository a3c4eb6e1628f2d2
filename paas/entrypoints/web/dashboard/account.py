"""/account: who has logged in, with which tokens and keys."""

from flask import Blueprint, Response, render_template

from paas.domain.people.permissions import AppRole
from paas.entrypoints.web.dashboard.pages import field, see
from paas.entrypoints.web.dashboard.visits import PageError, Visits

_DAY_S = 86_400
# How long a token can be valid. In a session, others than admins make none that outlives it.
LIFETIMES = {
    "12h": (_DAY_S // 2, "12 hours"),
    "7d": (7 * _DAY_S, "7 days"),
    "90d": (90 * _DAY_S, "90 days"),
    "365d": (365 * _DAY_S, "a year"),
}


def register(app: Blueprint, visits: Visits) -> None:
    """The page and its forms."""

    @app.get("/account")
    def show(made: object = None) -> str:
        user = visits.ask("auth:whoami")
        tokens, keys, teams, apps = [], [], [], []
        if not user["limited"]:
            tokens, keys, teams, apps = (
                visits.ask(what) for what in ("tokens", "keys", "teams", "apps")
            )
        return render_template(
            "account.html",
            user=user,
            tokens=tokens,
            keys=keys,
            teams=teams,
            apps=[one["name"] for one in apps],
            made=made,
            roles=list(AppRole),
            lifetimes=LIFETIMES if user["role"] == "admin" else {},
        )

    @app.post("/account/tokens")
    def create() -> str:
        chosen = field("expires")
        if chosen and chosen not in LIFETIMES:
            raise PageError(422, "There is no such duration.")
        made = visits.ask(
            "tokens:create",
            note=field("note").strip(),
            seconds=LIFETIMES[chosen][0] if chosen else None,
            app=field("app") or None,
            role=field("role") or None,
        )
        return show(made)  # it is shown only once

    @app.post("/account/tokens/<prefix>/revoke")
    def revoke(prefix: str) -> Response:
        visits.ask("tokens:revoke", prefix=prefix)
        return see("/account", said="revoked")
