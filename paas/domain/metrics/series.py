"""Metrics over a time: a point for each step, from the slots that are kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Protocol, Self, TypeVar

from paas.domain.metrics.figures import Load
from paas.domain.metrics.resolutions import KEPT_S, Resolution, resolution_for
from paas.domain.values.errors import usage_error

SINCE_DEFAULT_S = 7_200
# How old the newest figures are at most while the collector works.
FRESH_S = 60


class _Mergeable(Protocol):
    def add(self, other: Self, /) -> None: ...


_Slot = TypeVar("_Slot", bound=_Mergeable)


@dataclass(frozen=True, slots=True)
class Span:
    """points, of step_s each, from start (Unix time) on; resolution: of the slots they are of."""

    start: int
    step_s: int
    points: int
    resolution: Resolution

    @property
    def end(self) -> int:
        """Behind the last point."""
        return self.start + self.points * self.step_s

    def spread(self, slots: Mapping[int, _Slot]) -> list[_Slot | None]:
        """The slots of each point together; None where there are none. The slots are changed."""
        found: list[_Slot | None] = [None] * self.points
        for at in sorted(slots):
            number = (at - self.start) // self.step_s
            if 0 <= number < self.points:
                if (present := found[number]) is None:
                    found[number] = slots[at]
                else:
                    present.add(slots[at])
        return found


def span(now_s: int, until: int, since_s: int, points: int | None = None) -> Span:
    """The last since_s seconds. until: up to when there are figures. points: the most there may be.

    It ends with the last whole slot. Raises usage errors.
    """
    if not 0 < since_s <= KEPT_S:
        raise usage_error(
            "metrics-since",
            f"Metrics are kept for {KEPT_S // 86_400} days: name a time within these.",
            "paas metrics --since 24h",
        )
    if points is not None and points < 1:
        raise usage_error("metrics-points", "At least one point can be asked for.")
    resolution = resolution_for(since_s)
    is_fresh = 0 <= now_s - until <= FRESH_S
    end = resolution.begin(until if is_fresh else now_s)
    slots = ceil(since_s / resolution.step_s)
    together = ceil(slots / points) if points is not None else 1
    count, step_s = ceil(slots / together), together * resolution.step_s
    return Span(end - count * step_s, step_s, count, resolution)


def cpu_percent(load: Load, step_s: int) -> float:
    """Of one core, on average."""
    return round(load.cpu_ms / (10 * step_s), 2)
