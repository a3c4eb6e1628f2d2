"""Plots of metrics: where their points are, and their words."""

import pytest

from paas.entrypoints.web.dashboard.plots import BOTTOM, HEIGHT, LEFT, TOP, Span, plot, words

SPAN = Span(1_000_000.0, 10.0, 4)


def test_points_and_gaps() -> None:
    """A gap ends a line, and one value alone is seen as well; the axis ends at a round number."""
    found = plot("CPU", "%", [("all", [0.0, 40.0, None, 10.0])], SPAN)
    (line,) = found.lines
    first, second = line.points
    assert [float(point.split(",")[1]) for point in first.split()] == [
        HEIGHT - BOTTOM,
        round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * 40 / 50, 1),
    ]
    assert len(second.split()) == 2
    assert float(first.split()[0].split(",")[0]) > LEFT
    assert [row.text for row in found.rows] == ["0%", "25%", "50%"]
    assert found.words == "CPU: all 10%"


def test_an_axis_of_bytes() -> None:
    """It ends at a round number of MiB."""
    found = plot("Memory", "B", [("all", [21.0 * 1024**2])], SPAN)
    assert [row.text for row in found.rows] == ["0 B", "25 MiB", "50 MiB"]


def test_nothing_was_measured() -> None:
    """There is an axis, and no line."""
    found = plot("CPU", "%", [("all", [None] * 4)], SPAN)
    assert found.lines[0].points == ()
    assert found.words == "CPU: all -"


def test_deploys_of_another_time_are_left_out() -> None:
    """Only those that are within the plot are marked."""
    deploys = [(999_000.0, "v1"), (1_000_020.0, "v2"), (1_000_041.0, "v3")]
    found = plot("CPU", "%", [("all", [1.0] * 4)], SPAN, deploys)
    assert [mark.text for mark in found.marks] == ["v2"]


@pytest.mark.parametrize(
    ("value", "unit", "wanted"),
    [
        (None, "B", "-"),
        (0, "B", "0 B"),
        (1_536, "B", "1.5 KiB"),
        (5 * 1024**4, "B", "5120 GiB"),
        (0.0123, "s", "12 ms"),
        (2.5, "s", "2.5 s"),
        (0.25, "/s", "0.25/s"),
        (99.6, "%", "100%"),
    ],
)
def test_words(value: float | None, unit: str, wanted: str) -> None:
    """Short, with the unit that fits."""
    assert words(value, unit) == wanted
