"""What the benchmarks compute: statistics, verdicts, and the reading of wrk's words."""

import pytest

from benchmarks import stats, wrk
from benchmarks.commands import BenchError
from benchmarks.rows import Row, Rule, Target, compared
from benchmarks.table import table

WRK = """\
Running 3s test @ http://127.0.0.1:8080/
  2 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     5.81ms    1.02ms  15.70ms   81.58%
  Latency Distribution
     50%    5.66ms
     99%  950.00us
  16513 requests in 3.00s, 2.79MB read
  Socket errors: connect 0, read 1, write 0, timeout 2
  Non-2xx or 3xx responses: 4
Requests/sec:   5503.61
"""


def test_sums_are_of_the_same_round() -> None:
    """What was measured in one round is added up."""
    assert stats.sums([1.0, 2.0], [10.0, 20.0]) == [11.0, 22.0]


def test_spread_is_a_share_of_the_median() -> None:
    """Half the distance between the quartiles; nothing where there are too few samples."""
    assert stats.spread([8.0, 9.0, 10.0, 11.0, 12.0]) == pytest.approx(0.1)
    assert stats.spread([1.0, 2.0]) == 0.0


def test_slope_is_for_each() -> None:
    """Growth over the number of things added."""
    assert stats.slope(10.0, 30.0, 20) == 1.0


@pytest.mark.parametrize(
    ("target", "met"),
    [
        (Target(Rule.RATIO_AT_MOST, 1.5), True),
        (Target(Rule.RATIO_AT_MOST, 1.4), False),
        (Target(Rule.RATIO_AT_LEAST, 1.5), True),
        (Target(Rule.VALUE_AT_MOST, 2.9), False),
        (Target(Rule.NONE), None),
    ],
)
def test_a_row_is_judged_by_its_target(target: Target, met: bool | None) -> None:
    """The median of ours, 3, over that of the baseline, 2."""
    row = compared("x", "X", "s", [1.0, 3.0, 9.0], [2.0, 2.0, 2.0], target)
    assert row.met is met


def test_a_flaw_misses_the_target() -> None:
    """Whatever the numbers are."""
    row = Row("x", "X", "s", 1.0, 2.0, Target(Rule.RATIO_AT_MOST, 1.6), flaws=("a stale page",))
    assert row.met is False
    assert "a stale page" in table([row])


def test_the_table_has_each_row_with_its_verdict() -> None:
    """One line a row, and what it must reach."""
    row = Row("x", "pushes", "s", 0.4, 0.25, Target(Rule.RATIO_AT_MOST, 1.5), note="n=12")
    lines = table([row]).splitlines()
    assert lines[2].split() == [
        "pushes",
        "0.4",
        "s",
        "0.25",
        "s",
        "1.60",
        "ratio",
        "<=",
        "1.5",
        "NO",
    ]
    assert lines[-1] == "x: n=12"


def test_wrk_is_read() -> None:
    """Rate, 99th percentile in milliseconds, and every kind of error."""
    found = wrk.parse(WRK)
    assert (found.requests_per_s, found.errors) == (5503.61, 7)
    assert found.p99_ms == pytest.approx(0.95)
    with pytest.raises(BenchError):
        wrk.parse("unable to connect")
