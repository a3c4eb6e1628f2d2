"""/apps/NAME/config: config vars, their values only where somebody asks for one."""

from flask import Blueprint, Response, request

from paas.entrypoints.web.dashboard.pages import field, page, to
from paas.entrypoints.web.dashboard.visits import Visits


def register(app: Blueprint, visits: Visits) -> None:
    """The page and its forms."""

    @app.get("/apps/<name>/config")
    def show(name: str) -> str:
        names = visits.ask("config", app=name)
        shown, value = request.args.get("show"), None
        if shown is not None and shown in names:
            value = visits.ask("config:get", app=name, name=shown)
        return page(visits, name, "config.html", names=names, shown=shown, value=value)

    @app.post("/apps/<name>/config")
    def change(name: str) -> Response:
        # A browser sends each line of a text with CR and LF.
        value = field("value").replace("\r\n", "\n")
        visits.ask("config:set", app=name, values={field("name").strip(): value})
        return to(name, "/config", said="changed")

    @app.post("/apps/<name>/config/unset")
    def unset(name: str) -> Response:
        visits.ask("config:unset", app=name, names=[field("name")])
        return to(name, "/config", said="changed")
