"""/apps/NAME: what runs, and the switches for it."""

from flask import Blueprint, Response, render_template

from paas.entrypoints.web.dashboard.pages import field, head, to
from paas.entrypoints.web.dashboard.visits import PageError, Visits


def register(app: Blueprint, visits: Visits) -> None:
    """The page and its forms."""

    @app.get("/apps/<name>")
    def show(name: str) -> str:
        about = head(visits, name)
        instances, formation = [], []
        if about["release"] is not None:
            instances = visits.ask("ps", app=name)
            formation = visits.ask("ps:scale", app=name, changes=[])
        builds = visits.ask("builds", app=name)
        return render_template(
            "overview.html", app=about, instances=instances, formation=formation, builds=builds
        )

    @app.post("/apps/<name>/scale")
    def scale(name: str) -> Response:
        quantity = field("quantity").strip()
        if not (quantity.isascii() and quantity.isdecimal()):
            raise PageError(422, "How many instances takes a whole number, such as 2.")
        visits.ask("ps:scale", app=name, changes=[f"{field('type')}={quantity}"])
        return to(name, said="scaled")

    @app.post("/apps/<name>/restart")
    def restart(name: str) -> Response:
        visits.ask("ps:restart", app=name, names=_named())
        return to(name, said="restarted")

    @app.post("/apps/<name>/stop")
    def stop(name: str) -> Response:
        visits.ask("ps:stop", app=name, names=_named())
        return to(name, said="stopped")

    @app.post("/apps/<name>/start")
    def start(name: str) -> Response:
        visits.ask("ps:start", app=name, names=_named())
        return to(name, said="started")

    @app.post("/apps/<name>/maintenance")
    def maintenance(name: str) -> Response:
        word = "on" if field("mode") == "on" else "off"
        visits.ask(f"maintenance:{word}", app=name)
        return to(name, said=f"maintenance-{word}")


def _named() -> list[str]:
    """The instances that are meant; none: all."""
    return [text] if (text := field("names")) else []
