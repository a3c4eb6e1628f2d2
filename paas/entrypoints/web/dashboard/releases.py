"""/apps/NAME/releases: what each changed, and the way back."""

from flask import Blueprint, Response

from paas.entrypoints.web.dashboard.pages import page, to
from paas.entrypoints.web.dashboard.visits import Visits

_SHOWN = 50


def register(app: Blueprint, visits: Visits) -> None:
    """The pages."""

    @app.get("/apps/<name>/releases")
    def listing(name: str) -> str:
        rows = visits.ask("releases", app=name)[:_SHOWN]
        return page(visits, name, "releases.html", releases=rows)

    @app.get("/apps/<name>/releases/<int:version>")
    def show(name: str, version: int) -> str:
        release = visits.ask("releases:info", app=name, version=version)
        rows = visits.ask("releases", app=name)
        older = (
            row["version"]
            for row in rows
            if row["version"] < version and row["status"] == "succeeded"
        )
        before = next(older, None)
        changes = None
        if before is not None:
            changes = visits.ask("diff", app=name, old=before, new=version)
        lines = visits.ask("releases:output", app=name, version=version)
        return page(
            visits,
            name,
            "release.html",
            release=release,
            before=before,
            changes=changes,
            lines=lines,
        )

    @app.post("/apps/<name>/releases/<int:version>/rollback")
    def rollback(name: str, version: int) -> Response:
        visits.ask("rollback", app=name, version=version)
        return to(name, "/releases", said="rolled-back")
