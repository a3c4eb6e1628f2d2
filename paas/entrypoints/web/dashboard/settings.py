"""/apps/NAME/domains, /cron, /datastores and /access: host names, jobs, databases and people."""

from flask import Blueprint, Response

from paas.entrypoints.web.dashboard.pages import field, page, to
from paas.entrypoints.web.dashboard.visits import Visits


def register(app: Blueprint, visits: Visits) -> None:
    """The pages and their forms."""

    @app.get("/apps/<name>/domains")
    def domains(name: str) -> str:
        rows = visits.ask("domains", app=name)["domains"]
        held = visits.ask("certs", app=name)["certificates"]
        return page(visits, name, "domains.html", domains=rows, certificates=held)

    @app.post("/apps/<name>/domains")
    def add(name: str) -> str | Response:
        host = field("host").strip()
        visits.ask("domains:add", app=name, host=host)
        return domains(name)  # with what proves it, if it is pending

    @app.post("/apps/<name>/domains/remove")
    def remove(name: str) -> Response:
        visits.ask("domains:remove", app=name, host=field("host"))
        return to(name, "/domains", said="removed")

    @app.get("/apps/<name>/cron")
    def cron(name: str) -> str:
        jobs = visits.ask("cron", app=name)
        return page(visits, name, "cron.html", jobs=jobs, runs=visits.ask("run:list", app=name))

    @app.get("/apps/<name>/datastores")
    def datastores(name: str) -> str:
        return page(visits, name, "datastores.html", datastores=visits.ask("addons", app=name))

    @app.get("/apps/<name>/access")
    def access(name: str) -> str:
        return page(visits, name, "access.html", grants=visits.ask("access", app=name)["grants"])
