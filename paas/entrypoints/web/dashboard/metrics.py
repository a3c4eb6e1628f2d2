"""/apps/NAME/metrics: plots of what an app takes, and how it answers."""

from typing import Any

from flask import Blueprint, request

from paas.entrypoints.web.dashboard.pages import page
from paas.entrypoints.web.dashboard.plots import Plot, Series, Span, plot
from paas.entrypoints.web.dashboard.visits import Visits

_POINTS = 240
_HOUR_S = 3_600
RANGES = {
    "2h": (2 * _HOUR_S, "2 hours"),
    "24h": (24 * _HOUR_S, "24 hours"),
    "7d": (168 * _HOUR_S, "7 days"),
}


def register(app: Blueprint, visits: Visits) -> None:
    """The page."""

    @app.get("/apps/<name>/metrics")
    def show(name: str) -> str:
        chosen = request.args.get("range", "")
        chosen = chosen if chosen in RANGES else next(iter(RANGES))
        found = visits.ask("metrics", app=name, since=RANGES[chosen][0], points=_POINTS)
        return page(
            visits,
            name,
            "metrics.html",
            plots=plots(found),
            ranges=RANGES,
            chosen=chosen,
            deploys=found["deploys"],
            measured=found["until"] is not None,
        )


def plots(found: dict[str, Any]) -> list[Plot]:
    """All plots, from the answer of the operation."""
    span = Span(found["start"], found["step"], len(found["cpu"]))
    deploys = [(one["at"], f"v{one['version']}: {one['description']}") for one in found["deploys"]]
    requests = found["requests"]
    total = _sum(list(requests.values()))
    drawn: tuple[tuple[str, str, list[tuple[str, Series]]], ...] = (
        ("Requests", "/s", [("all", _rate(total, span.step))]),
        ("Response time", "s", [(name, found["latency"][name]) for name in ("p50", "p99")]),
        ("Server errors (5xx)", "/s", [("5xx", _rate(requests["5xx"], span.step))]),
        ("CPU", "%", [("of a core", found["cpu"])]),
        ("Memory", "B", [("all instances", found["memory"])]),
    )
    return [plot(title, unit, series, span, deploys) for title, unit, series in drawn]


def _sum(parts: list[Series]) -> Series:
    return [
        None if all(value is None for value in values) else sum(value or 0 for value in values)
        for values in zip(*parts, strict=True)
    ]


def _rate(counts: Series, step: float) -> Series:
    return [None if count is None else count / step for count in counts]
