"""What the pages of an app have in common."""

from typing import Any
from urllib.parse import quote

from flask import Response, redirect, render_template, request

from paas.entrypoints.web.dashboard.visits import PageError, Visits

_TEXT_MAX = 262_144


def page(visits: Visits, name: str, template: str, **values: Any) -> str:
    """A page of an app."""
    return render_template(template, app=head(visits, name), **values)


def head(visits: Visits, name: str) -> Any:
    """How an app is, which the head of each of its pages shows."""
    return visits.ask("apps:info", app=name, detail=True)


def to(name: str, below: str = "", said: str = "") -> Response:
    """On to a page of an app, which tells what was done."""
    return see(f"/apps/{quote(name, safe='')}{below}", said)


def see(path: str, said: str = "") -> Response:
    """On to another page, which tells what was done."""
    answer = redirect(f"{path}?said={said}" if said else path, 303)
    assert isinstance(answer, Response)
    return answer


def field(name: str) -> str:
    """A field of the form that was sent. Raises PageError without it."""
    text = request.form.get(name)
    if text is None or len(text) > _TEXT_MAX:
        raise PageError(422, "The form is not complete.")
    return text
