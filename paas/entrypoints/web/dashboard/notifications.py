"""/apps/NAME/notifications, and /server/notifications for admins: who is told of troubles."""

from flask import Blueprint, Response, render_template, request

from paas.domain.notifications.targets import EVENTS, OF_SERVER
from paas.entrypoints.web.dashboard.pages import field, head, see, to
from paas.entrypoints.web.dashboard.visits import PageError, Visits

_SERVER = "/server/notifications"


def register(app: Blueprint, visits: Visits) -> None:
    """The pages and their forms. name: of the app; None: of all apps and the server."""

    @app.get("/apps/<name>/notifications")
    @app.get(_SERVER)
    def show(name: str | None = None, added: object = None) -> str:
        targets = visits.ask("notify", app=name)
        about = head(visits, name) if name is not None else None
        return render_template(
            "notifications.html",
            base=f"/apps/{about['name']}/notifications" if about else _SERVER,
            layout="app.html" if about else "base.html",
            app=about,
            targets=targets,
            added=added,
            events=[event for event in EVENTS if name is None or event not in OF_SERVER],
        )

    @app.post("/apps/<name>/notifications")
    @app.post(_SERVER)
    def add(name: str | None = None) -> str:
        events = request.form.getlist("events")
        if not events:
            raise PageError(422, "No kind of event was chosen.")
        added = visits.ask("notify:add", app=name, url=field("url").strip(), events=events)
        return show(name, added)  # with the secret that signs

    @app.post("/apps/<name>/notifications/test")
    @app.post(f"{_SERVER}/test")
    def test(name: str | None = None) -> Response:
        visits.ask("notify:test", app=name, target=field("target"))
        return _back(name, "tested")

    @app.post("/apps/<name>/notifications/remove")
    @app.post(f"{_SERVER}/remove")
    def remove(name: str | None = None) -> Response:
        visits.ask("notify:remove", app=name, target=field("target"))
        return _back(name, "unnotified")


def _back(name: str | None, said: str) -> Response:
    return to(name, "/notifications", said) if name is not None else see(_SERVER, said)
