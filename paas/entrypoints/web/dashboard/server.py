"""/server and below: how the server is, for admins."""

from flask import Blueprint, render_template

from paas.entrypoints.web.dashboard.visits import Visits


def register(app: Blueprint, visits: Visits) -> None:
    """The pages."""

    @app.get("/server")
    def show() -> str:
        status = visits.ask("server:status")
        disk = visits.ask("disk")
        disk["apps"].sort(key=lambda one: one["bytes"], reverse=True)
        return render_template("server.html", status=status, disk=disk)

    @app.get("/server/doctor")
    def doctor() -> str:
        return render_template("doctor.html", findings=visits.ask("doctor"))

    @app.get("/server/people")
    def people() -> str:
        return render_template("people.html", users=visits.ask("users"), teams=visits.ask("teams"))
