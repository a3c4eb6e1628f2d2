"""/apps/NAME/deploys: builds with their output, line by line while they run."""

from flask import Blueprint, Response

from paas.entrypoints.web.dashboard.pages import page, to
from paas.entrypoints.web.dashboard.visits import Visits

_SHOWN = 50
_RUNS = "pending"


def register(app: Blueprint, visits: Visits) -> None:
    """The pages."""

    @app.get("/apps/<name>/deploys")
    def listing(name: str) -> str:
        return page(visits, name, "deploys.html", builds=visits.ask("builds", app=name)[:_SHOWN])

    @app.get("/apps/<name>/deploys/<build>")
    def show(name: str, build: str) -> str:
        found = visits.ask("builds:info", app=name, build=build, follow=True)
        release = None
        if found["release"] is not None:
            release = visits.ask("releases:info", app=name, version=found["release"])
        is_over = found["status"] != _RUNS and (release is None or release["status"] != _RUNS)
        lines = visits.ask("builds:output", app=name, build=found["id"])
        return page(
            visits,
            name,
            "deploy.html",
            build=found,
            release=release,
            lines=lines,
            is_over=is_over,
        )

    @app.post("/apps/<name>/deploys/<build>/cancel")
    def cancel(name: str, build: str) -> Response:
        visits.ask("builds:cancel", app=name, build=build)
        return to(name, f"/deploys/{build}", said="cancelled")
