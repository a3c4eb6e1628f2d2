"""Latencies as a histogram: how many requests took how long."""

from bisect import bisect_left
from collections.abc import Sequence

# The upper bounds of its buckets, inclusive, in milliseconds; one more bucket has the slower ones.
BOUNDS_MS = (
    *(1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 75, 100, 150, 200, 300, 500, 750),
    *(1_000, 1_500, 2_000, 3_000, 5_000, 10_000, 30_000),
)
BUCKETS = len(BOUNDS_MS) + 1


def bucket_of(milliseconds: int) -> int:
    """The number of the bucket of a latency."""
    return bisect_left(BOUNDS_MS, milliseconds)


def percentile(counts: Sequence[int], percent: float) -> float | None:
    """The latency that so many percent of the requests did not exceed, in seconds.

    Within a bucket they count as evenly distributed; those slower than all bounds, as the last
    bound. None: there were no requests.
    """
    total = sum(counts)
    if not total:
        return None
    left = total * percent / 100
    for number, count in enumerate(counts):
        if count and left <= count:
            low = BOUNDS_MS[number - 1] if number else 0
            high = BOUNDS_MS[min(number, len(BOUNDS_MS) - 1)]
            return round(min(low, high) + max(0, high - low) * left / count) / 1_000
        left -= count
    return BOUNDS_MS[-1] / 1_000
