"""/apps/NAME/cron: jobs with the switches for them, their last runs, and one-off processes."""

from flask import Blueprint, Response, request

from paas.entrypoints.web.dashboard.pages import field, page, to
from paas.entrypoints.web.dashboard.visits import Visits

_SHOWN = 50


def register(app: Blueprint, visits: Visits) -> None:
    """The page and its forms."""

    @app.get("/apps/<name>/cron")
    def show(name: str) -> str:
        job = request.args.get("job") or None
        history = visits.ask("cron:history", app=name, job=job)[:_SHOWN]
        return page(
            visits,
            name,
            "cron.html",
            jobs=visits.ask("cron", app=name),
            runs=visits.ask("run:list", app=name),
            history=history,
            job=job,
        )

    @app.post("/apps/<name>/cron/run")
    def run(name: str) -> Response:
        visits.ask("cron:run", app=name, job=field("job"))
        return to(name, "/cron", said="job-started")

    @app.post("/apps/<name>/cron/suspend")
    def suspend(name: str) -> Response:
        visits.ask("cron:suspend", app=name, names=[field("job")])
        return to(name, "/cron", said="suspended")

    @app.post("/apps/<name>/cron/resume")
    def resume(name: str) -> Response:
        visits.ask("cron:resume", app=name, names=[field("job")])
        return to(name, "/cron", said="resumed")
