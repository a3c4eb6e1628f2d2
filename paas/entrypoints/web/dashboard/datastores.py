"""/apps/NAME/datastores: databases of an app, their attachments and backups."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, render_template

from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.datastores.plans import PLANS
from paas.domain.people.permissions import Permission
from paas.entrypoints.web.dashboard.pages import field, head, to
from paas.entrypoints.web.dashboard.visits import PageError, Visits

_KINDS = {str(kind): kind.traits.product for kind in DatastoreKind}


def register(app: Blueprint, visits: Visits) -> None:
    """The page and its forms."""

    @app.get("/apps/<name>/datastores")
    def show(name: str) -> str:
        about, rows = head(visits, name), visits.ask("addons", app=name)
        others: list[Any] = []
        if Permission.CONFIGURE in about["may"]:
            shown = {row["name"] for row in rows}
            others = [row for row in visits.ask("addons") if row["name"] not in shown]
        return render_template(
            "datastores.html",
            app=about,
            datastores=rows,
            dumps=_latest_dumps(visits, about["name"], rows),
            others=others,
            kinds=_KINDS,
            plans=PLANS.values(),
        )

    @app.post("/apps/<name>/datastores")
    def create(name: str) -> Response:
        order = f"{field('kind')}:{field('plan')}"
        visits.ask("addons:create", app=name, order=order, name=field("as").strip() or None)
        return to(name, "/datastores", said="datastore-begun")

    @app.post("/apps/<name>/datastores/attach")
    def attach(name: str) -> Response:
        datastore, wanted = field("datastore"), field("as").strip() or None
        visits.ask("addons:attach", app=name, datastore=datastore, name=wanted)
        return to(name, "/datastores", said="changed")

    @app.post("/apps/<name>/datastores/detach")
    def detach(name: str) -> Response:
        visits.ask("addons:detach", app=name, names=[field("attachment")])
        return to(name, "/datastores", said="changed")

    @app.post("/apps/<name>/datastores/<datastore>/backup")
    def back_up(name: str, datastore: str) -> Response:
        prefix = _kind(field("kind")).traits.prefix
        visits.ask(f"{prefix}:backups:capture", app=name, datastore=datastore)
        return to(name, "/datastores", said="backup-begun")

    @app.post("/apps/<name>/datastores/<datastore>/destroy")
    def destroy(name: str, datastore: str) -> Response:
        if field("confirm").strip() != datastore:
            raise PageError(
                422,
                f"What was typed is not the name of the datastore, {datastore}, so nothing was "
                "destroyed.",
            )
        visits.ask("addons:destroy", app=name, datastore=datastore)
        return to(name, "/datastores", said="destroyed")


def _kind(text: str) -> DatastoreKind:
    try:
        return DatastoreKind(text)
    except ValueError as error:
        raise PageError(422, "There is no such kind of datastore.") from error


def _latest_dumps(
    visits: Visits, name: str, datastores: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """By the names of the app's own datastores, the last dump of each that has one."""
    kinds = {row["kind"] for row in datastores if row["app"]["name"] == name}
    return {
        dump["datastore"]: dump
        for kind in sorted(kinds)
        for dump in visits.ask(f"{_kind(kind).traits.prefix}:backups", app=name)
    }
