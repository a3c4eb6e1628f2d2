"""/apps/NAME/logs: the last lines, and new ones as they come."""

from flask import Blueprint, request

from paas.entrypoints.web.dashboard.pages import page
from paas.entrypoints.web.dashboard.visits import Visits

LINES = (100, 500, 1_500)
SOURCES = ("app", "paas", "router")


def register(app: Blueprint, visits: Visits) -> None:
    """The page."""

    @app.get("/apps/<name>/logs")
    def show(name: str) -> str:
        wanted = request.args.get("lines", "")
        lines = int(wanted) if wanted in map(str, LINES) else LINES[0]
        process = request.args.get("process", "").strip()[:80]
        source = request.args.get("source", "")
        opened = visits.ask(
            "logs",
            app=name,
            lines=lines,
            tail=True,
            read=True,
            process=process or None,
            source=source if source in SOURCES else None,
        )
        return page(
            visits,
            name,
            "logs.html",
            rows=opened["lines"],
            stream=opened["secret"],
            chosen={"lines": lines, "process": process, "source": source},
            counts=LINES,
            sources=SOURCES,
        )
