"""/apps/NAME/access: who may use an app, with which role."""

from flask import Blueprint, Response

from paas.domain.people.permissions import AppRole
from paas.entrypoints.web.dashboard.pages import field, page, to
from paas.entrypoints.web.dashboard.visits import Visits


def register(app: Blueprint, visits: Visits) -> None:
    """The page and its forms."""

    @app.get("/apps/<name>/access")
    def show(name: str) -> str:
        grants = visits.ask("access", app=name)["grants"]
        return page(visits, name, "access.html", grants=grants, roles=list(AppRole))

    @app.post("/apps/<name>/access")
    def add(name: str) -> Response:
        visits.ask("access:add", app=name, whom=field("whom").strip(), role=field("role"))
        return to(name, "/access", said="shared")

    @app.post("/apps/<name>/access/update")
    def update(name: str) -> Response:
        visits.ask("access:update", app=name, whom=field("whom"), role=field("role"))
        return to(name, "/access", said="role")

    @app.post("/apps/<name>/access/remove")
    def remove(name: str) -> Response:
        visits.ask("access:remove", app=name, whom=field("whom"))
        return to(name, "/access", said="unshared")
