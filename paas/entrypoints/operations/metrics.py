"""metrics"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from paas.domain.apps.apps import App
from paas.domain.metrics.figures import CLASSES, Load, Requests, Totals
from paas.domain.metrics.latency import BOUNDS_MS, percentile
from paas.domain.metrics.series import FRESH_S, SINCE_DEFAULT_S, cpu_percent
from paas.domain.releases.releases import Release
from paas.entrypoints.operations.call import Call
from paas.services.metrics.metrics import AppSeries

_Point = TypeVar("_Point", Load, Requests)


def metrics(call: Call, *, app: str | None, since: int | None, points: int | None) -> object:
    """An app's metrics of the last so many seconds; without an app, the totals of all."""
    service = call.services.metrics
    if app is None:
        return [plain_totals(one, totals) for one, totals in service.totals(call.actor)]
    since_s = SINCE_DEFAULT_S if since is None else since
    return plain_series(service.series(call.actor, app, since_s, points))


def plain_series(series: AppSeries) -> dict[str, object]:
    """As JSON: a list of values for each figure, null where nothing was measured."""
    step_s = series.span.step_s
    return {
        "app": _app(series.app),
        "start": series.span.start,
        "step": step_s,
        "until": series.until,
        "requests": {
            name: [None if one is None else one.classes[number] for one in series.requests]
            for number, name in enumerate(CLASSES)
        },
        "latency": {
            "p50": _each(series.requests, lambda one: percentile(one.latencies, 50)),
            "p99": _each(series.requests, lambda one: percentile(one.latencies, 99)),
        },
        **_loads(series.loads, step_s),
        "instances": _each(series.loads, lambda one: one.instances),
        "processes": {name: _loads(loads, step_s) for name, loads in series.processes.items()},
        "deploys": [_release(one) for one in series.releases],
    }


def _loads(loads: Sequence[Load | None], step_s: int) -> dict[str, object]:
    return {
        "cpu": _each(loads, lambda one: cpu_percent(one, step_s)),
        "memory": _each(loads, lambda one: one.memory_kib * 1_024),
        "restarts": _each(loads, lambda one: one.restarts),
    }


def _each(
    points: Sequence[_Point | None], value: Callable[[_Point], float | None]
) -> list[float | None]:
    return [None if one is None else value(one) for one in points]


def plain_totals(app: App, totals: Totals) -> dict[str, object]:
    """As JSON: what was counted of an app so far."""
    found = totals.requests
    return {
        "app": _app(app),
        "until": totals.until,
        "requests": dict(zip(CLASSES, found.classes, strict=True)),
        "latency": {
            "bounds": [one / 1_000 for one in BOUNDS_MS],
            "counts": found.latencies,
            "sum": found.total_ms / 1_000,
        },
        "processes": {
            name: {
                "cpu_s": one.cpu_ms / 1_000,
                "memory": one.memory_kib * 1_024,
                "restarts": one.restarts,
            }
            for name, one in sorted(totals.processes.items())
            if one.seen >= totals.until - FRESH_S
        },
    }


def _app(app: App) -> dict[str, object]:
    return {"id": app.id, "name": app.name}


def _release(release: Release) -> dict[str, object]:
    return {
        "version": release.version,
        "at": int(release.created_at.timestamp()),
        "description": release.description,
        "user": release.user,
    }
