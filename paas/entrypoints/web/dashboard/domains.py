"""/apps/NAME/domains: host names and their certificates."""

from flask import Blueprint, Response

from paas.entrypoints.web.dashboard.pages import field, page, to
from paas.entrypoints.web.dashboard.visits import Visits


def register(app: Blueprint, visits: Visits) -> None:
    """The page and its forms."""

    @app.get("/apps/<name>/domains")
    def show(name: str) -> str:
        rows = visits.ask("domains", app=name)["domains"]
        held = visits.ask("certs", app=name)["certificates"]
        return page(visits, name, "domains.html", domains=rows, certificates=held)

    @app.post("/apps/<name>/domains")
    def add(name: str) -> str | Response:
        host = field("host").strip()
        visits.ask("domains:add", app=name, host=host)
        return show(name)  # with what proves it, if it is pending

    @app.post("/apps/<name>/domains/remove")
    def remove(name: str) -> Response:
        visits.ask("domains:remove", app=name, host=field("host"))
        return to(name, "/domains", said="removed")
