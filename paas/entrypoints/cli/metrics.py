"""metrics"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import click

from paas.domain.logs.loglines import parse_since
from paas.domain.metrics.figures import Load, Requests
from paas.domain.metrics.latency import percentile
from paas.domain.metrics.series import FRESH_S, SINCE_DEFAULT_S, cpu_percent
from paas.domain.values.sizes import size_words
from paas.entrypoints.cli.session import (
    Session,
    app_argument,
    app_option,
    json_option,
    pass_session,
)
from paas.entrypoints.cli.sparklines import marks, sparkline
from paas.entrypoints.cli.tables import columns
from paas.entrypoints.cli.terminal import print_json, print_line
from paas.entrypoints.operations.metrics import plain_series
from paas.services.metrics.metrics import AppSeries

_LABEL, _VALUE, _WIDTH_MAX = 12, 10, 120
Numbers = Sequence[float | None]


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of the picture. words: how a value is shown. sums: the last column has their sum."""

    label: str
    values: Numbers
    words: Callable[[float], str]
    sums: bool = False


@click.command("metrics")
@click.option("--since", metavar="TIME", help="From then on: 30m, 24h, 7d; a time in UTC. Else 2h.")
@app_argument
@app_option
@json_option
@pass_session
def metrics(
    session: Session, since: str | None, name: str | None, app: str | None, as_json: bool
) -> None:
    """Show how an app fares: CPU, memory, requests, latency, errors, restarts.

    Example: paas metrics --since 24h -a shop
    """
    name, since_s = session.app_name(app, name), SINCE_DEFAULT_S
    if since is not None:
        now = datetime.now(UTC)
        since_s = int((now - parse_since(since, now)).total_seconds())
    service = session.services.metrics
    if as_json:
        print_json(plain_series(service.series(session.actor, name, since_s)))
        return
    width = max(20, min(columns() - _LABEL - 2 * _VALUE - 1, _WIDTH_MAX))
    series = service.series(session.actor, name, since_s, width)
    if series.until is None:
        session.terminal.detail("Nothing was measured yet: the first figures come within a minute.")
        return
    for line in picture(series):
        print_line(line.rstrip())
    late = datetime.now(UTC) - datetime.fromtimestamp(series.until, UTC)
    if late > timedelta(seconds=FRESH_S):
        session.terminal.warn(
            f"Nothing was measured since {_clock(series.until)} UTC. The disk may be full, or the "
            "monitor may be down: ask an admin to run paas doctor."
        )


def picture(series: AppSeries) -> Iterator[str]:
    """The lines, each no wider than the points and what is beside them."""
    span = series.span
    yield (
        f"{series.app.name}: {_clock(span.start)} to {_clock(span.end)} UTC, "
        f"{_step_words(span.step_s)} per column"
    )
    yield f"{'':{_LABEL}}{'':{span.points}}{'now':>{_VALUE}}{'highest':>{_VALUE}}"
    for row in _rows(series):
        yield _line(row)
    if series.releases:
        places = [
            (int(one.created_at.timestamp() - span.start) // span.step_s, f"v{one.version}")
            for one in series.releases
        ]
        points, labels = marks(places, span.points)
        yield f"{'Releases':{_LABEL}}{points}"
        yield f"{'':{_LABEL}}{labels}"


def _rows(series: AppSeries) -> Iterator[_Row]:
    step_s = series.span.step_s
    yield _Row("CPU", _cpu(series.loads, step_s), _percent)
    yield _Row("Memory", _memory(series.loads), _memory_words)
    if len(series.processes) > 1:
        for name, loads in series.processes.items():
            yield _Row(f" {name} CPU", _cpu(loads, step_s), _percent)
            yield _Row(f" {name} mem", _memory(loads), _memory_words)
    found = series.requests
    yield _Row("Requests", _each(found, lambda one: sum(one.classes) / step_s), _rate)
    yield _Row("p50", _each(found, lambda one: percentile(one.latencies, 50)), _time)
    yield _Row("p99", _each(found, lambda one: percentile(one.latencies, 99)), _time)
    yield _Row("5xx", _each(found, lambda one: one.classes[3]), _count, sums=True)
    yield _Row(
        "Restarts",
        [None if one is None else one.restarts for one in series.loads],
        _count,
        sums=True,
    )


def _line(row: _Row) -> str:
    known = [one for one in row.values if one is not None]
    label = row.label if len(row.label) < _LABEL else f"{row.label[: _LABEL - 2]}…"
    if not known:
        return f"{label:{_LABEL}}{sparkline(row.values)}{'-':>{_VALUE}}{'-':>{_VALUE}}"
    now = "-" if row.values[-1] is None else row.words(row.values[-1])
    last = f"{row.words(sum(known))} in all" if row.sums else row.words(max(known))
    return f"{label:{_LABEL}}{sparkline(row.values)}{now:>{_VALUE}}{last:>{_VALUE}}"


def _cpu(loads: Sequence[Load | None], step_s: int) -> Numbers:
    return [None if one is None else cpu_percent(one, step_s) for one in loads]


def _memory(loads: Sequence[Load | None]) -> Numbers:
    return [None if one is None else one.memory_kib * 1_024 for one in loads]


def _each(points: Sequence[Requests | None], value: Callable[[Requests], float | None]) -> Numbers:
    return [None if one is None else value(one) for one in points]


def _percent(value: float) -> str:
    return f"{value:.0f}%" if value >= 10 or not value else f"{value:.1f}%"


def _memory_words(value: float) -> str:
    return size_words(int(value))


def _rate(value: float) -> str:
    return f"{value:.0f}/s" if value >= 10 or not value else f"{value:.2g}/s"


def _time(value: float) -> str:
    return f"{value:.1f} s" if value >= 1 else f"{value * 1_000:.0f} ms"


def _count(value: float) -> str:
    return f"{value:.0f}"


def _step_words(step_s: int) -> str:
    for size_s, unit in ((3_600, "h"), (60, "min")):
        if step_s >= size_s:
            return f"{step_s / size_s:.3g} {unit}"
    return f"{step_s} s"


def _clock(at_s: int) -> str:
    return f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%d %H:%M}"
