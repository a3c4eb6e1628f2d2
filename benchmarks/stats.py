"""Statistics of samples. Pure."""

from collections.abc import Sequence
from statistics import median


def spread(samples: Sequence[float]) -> float:
    """The spread: half the interquartile range as a share of the median."""
    ordered = sorted(samples)
    middle = median(ordered)
    if len(ordered) < 4 or middle == 0:
        return 0.0
    quarter = len(ordered) // 4
    return (ordered[-1 - quarter] - ordered[quarter]) / 2 / middle


def sums(*columns: Sequence[float]) -> list[float]:
    """The sums of the samples of each round."""
    return [sum(parts) for parts in zip(*columns, strict=True)]


def slope(before: float, after: float, count: int) -> float:
    """The growth for each of count added items."""
    return (after - before) / count
