"""GET /metrics: the totals of all apps that a token may see, in Prometheus' text format 0.0.4.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from flask import Blueprint, Response

from paas.entrypoints.web.heroku.platform import Platform

_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_LATENCY = "paas_http_request_duration_seconds"
_Sample = tuple[dict[str, str], float]


def register(app: Blueprint, platform: Platform) -> None:
    """The endpoint."""

    @app.get("/metrics")
    def metrics() -> Response:
        return Response(exposition(platform.ask("metrics")), content_type=_TYPE)


def exposition(apps: Sequence[Mapping[str, Any]]) -> str:
    """The text. apps: as the operation `metrics` answers."""
    lines: list[str] = []
    for name, kind, text, samples in _FAMILIES:
        lines += [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]
        lines += [_line(name, *sample) for app in apps for sample in samples(app)]
    lines += [f"# HELP {_LATENCY} How long requests took.", f"# TYPE {_LATENCY} histogram"]
    lines += [line for app in apps for line in _latency(app)]
    return "".join(f"{line}\n" for line in lines)


def _requests(app: Mapping[str, Any]) -> Iterator[_Sample]:
    for code, count in app["requests"].items():
        yield {"app": app["app"]["name"], "code": code}, count


def _of_processes(figure: str) -> Callable[[Mapping[str, Any]], Iterator[_Sample]]:
    def samples(app: Mapping[str, Any]) -> Iterator[_Sample]:
        for process, found in app["processes"].items():
            yield {"app": app["app"]["name"], "process": process}, found[figure]

    return samples


def _collected(app: Mapping[str, Any]) -> Iterator[_Sample]:
    yield {"app": app["app"]["name"]}, app["until"]


_FAMILIES = (
    ("paas_http_requests_total", "counter", "Requests, by class of status code.", _requests),
    (
        "paas_process_cpu_seconds_total",
        "counter",
        "CPU time of an instance's processes.",
        _of_processes("cpu_s"),
    ),
    (
        "paas_process_memory_bytes",
        "gauge",
        "Memory of an instance's processes, without copies of files.",
        _of_processes("memory"),
    ),
    (
        "paas_process_restarts_total",
        "counter",
        "How often an instance ended and was started again.",
        _of_processes("restarts"),
    ),
    (
        "paas_collected_timestamp_seconds",
        "gauge",
        "Up to when the figures of an app were collected.",
        _collected,
    ),
)


def _latency(app: Mapping[str, Any]) -> Iterator[str]:
    labels, found, count = {"app": app["app"]["name"]}, app["latency"], 0
    bounds = [*(f"{bound:g}" for bound in found["bounds"]), "+Inf"]
    for bound, of_it in zip(bounds, found["counts"], strict=True):
        count += of_it
        yield _line(f"{_LATENCY}_bucket", {**labels, "le": bound}, count)
    yield _line(f"{_LATENCY}_sum", labels, found["sum"])
    yield _line(f"{_LATENCY}_count", labels, count)


def _line(name: str, labels: Mapping[str, str], value: float) -> str:
    shown = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
    return f"{name}{{{shown}}} {value}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
