"""Plots as SVG: coordinates only, so that a template can draw them without any style of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

WIDTH, HEIGHT = 480, 170
LEFT, RIGHT, TOP, BOTTOM = 46, 8, 8, 22
_TICKS = 4
_DAY_S = 86_400
_MIB = 1024**2
Series = Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Label:
    """A text at a place of an axis."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """points: one polyline for each stretch without gaps. last: the newest value, in words."""

    name: str
    kind: str
    points: tuple[str, ...]
    last: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A deploy: where it is on the time axis, and its words."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Plot:
    """What a template draws. rows, columns: lines of the grid with their labels."""

    title: str
    lines: tuple[Line, ...]
    rows: tuple[Label, ...]
    columns: tuple[Label, ...]
    marks: tuple[Mark, ...]

    @property
    def words(self) -> str:
        """The plot for those who cannot see it: the newest values."""
        return f"{self.title}: {', '.join(f'{one.name} {one.last}' for one in self.lines)}"


@dataclass(frozen=True, slots=True)
class Span:
    """The time axis: Unix times of its begin, the seconds of a point, and how many there are."""

    start: float
    step: float
    count: int

    @property
    def end(self) -> float:
        """The time behind the last point."""
        return self.start + self.step * self.count

    def x(self, at: float) -> float:
        """Where a time is."""
        whole = max(self.end - self.start, 1)
        return round(LEFT + (WIDTH - LEFT - RIGHT) * (at - self.start) / whole, 1)


KINDS = ("first", "second", "third")


def plot(
    title: str,
    unit: str,
    series: Sequence[tuple[str, Series]],
    span: Span,
    deploys: Sequence[tuple[float, str]] = (),
) -> Plot:
    """At most three series over the same time. unit: of all values."""
    highest = max((v for _, values in series for v in values if v is not None), default=0)
    size = _MIB if unit == "B" else 1
    top = _round_up(highest / size) * size
    return Plot(
        title,
        tuple(
            Line(name, kind, _polylines(values, span, top), words(_last(values), unit))
            for kind, (name, values) in zip(KINDS, series, strict=False)
        ),
        tuple(Label(_y(top * n / 2, top), words(top * n / 2, unit)) for n in range(3)),
        tuple(Label(span.x(at), _clock(at, span)) for at in _ticks(span)),
        tuple(Mark(span.x(at), text) for at, text in deploys if span.start <= at <= span.end),
    )


def words(value: float | None, unit: str) -> str:
    """A value with its unit."""
    if value is None:
        return "-"
    if unit == "B":
        for name in ("B", "KiB", "MiB", "GiB"):
            if value < 1024 or name == "GiB":
                return f"{_short(value)} {name}"
            value /= 1024
    if unit == "s":
        return f"{_short(value * 1000)} ms" if value < 1 else f"{_short(value)} s"
    return f"{_short(value)}{unit}"


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 10 or value == int(value) else f"{value:.2g}"


def _last(values: Series) -> float | None:
    return next((value for value in reversed(values) if value is not None), None)


def _round_up(value: float) -> float:
    """The next of 1, 2 and 5 with zeros: the top of the axis."""
    if value <= 0:
        return 1.0
    size = 1.0
    while size > value:
        size /= 10
    while size * 10 <= value:
        size *= 10
    return next(size * n for n in (1, 2, 5, 10) if size * n >= value)


def _y(value: float, top: float) -> float:
    return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * min(value / top, 1), 1)


def _polylines(values: Series, span: Span, top: float) -> tuple[str, ...]:
    """A gap where nothing was measured; a single value between gaps is a short line."""
    found: list[list[str]] = [[]]
    for number, value in enumerate(values):
        if value is None:
            if found[-1]:
                found.append([])
            continue
        at = span.start + span.step * number
        y = _y(value, top)
        found[-1].append(f"{span.x(at + span.step / 2)},{y}")
    return tuple(
        " ".join(points if len(points) > 1 else [points[0], _beside(points[0])])
        for points in found
        if points
    )


def _beside(point: str) -> str:
    x, _, y = point.partition(",")
    return f"{round(float(x) + 1, 1)},{y}"


def _ticks(span: Span) -> list[float]:
    whole = span.end - span.start
    return [span.start + whole * (n + 0.5) / _TICKS for n in range(_TICKS)]


def _clock(at: float, span: Span) -> str:
    """The hour within a day; the date otherwise."""
    moment = datetime.fromtimestamp(at, UTC)
    if span.end - span.start <= _DAY_S:
        return f"{moment:%H:%M}"
    return f"{moment.day} {moment:%b}"
