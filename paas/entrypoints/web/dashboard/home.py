"""/: all apps of the user."""

from flask import Blueprint, render_template

from paas.entrypoints.web.dashboard.visits import Visits


def register(app: Blueprint, visits: Visits) -> None:
    """The page."""

    @app.get("/")
    def apps() -> str:
        rows = visits.ask("apps", detail=True)
        return render_template("apps.html", apps=rows)
