"""A row of the table: a figure with its baseline and its target. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from statistics import median
from typing import Any

from benchmarks.stats import spread


class Rule(StrEnum):
    """How a figure is judged."""

    RATIO_AT_MOST = "ratio <="
    RATIO_AT_LEAST = "ratio >="
    VALUE_AT_MOST = "<="
    NONE = ""


@dataclass(frozen=True, slots=True)
class Target:
    """The value that must be reached."""

    rule: Rule
    limit: float = 0.0


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    ours and baseline: in unit. flaws: sentences about what went wrong; with any, the target is
    missed regardless of the numbers. note: what the reader should know besides the numbers.
    samples: all samples, by column.
    """

    name: str
    title: str
    unit: str
    ours: float
    baseline: float | None
    target: Target
    note: str = ""
    flaws: tuple[str, ...] = ()
    samples: Mapping[str, Sequence[float]] = field(default_factory=dict)

    @property
    def ratio(self) -> float | None:
        """Ours over the baseline."""
        return self.ours / self.baseline if self.baseline else None

    @property
    def met(self) -> bool | None:
        """Whether the target is reached; None if there is none."""
        if self.flaws:
            return False
        match self.target.rule:
            case Rule.NONE:
                return None
            case Rule.VALUE_AT_MOST:
                return self.ours <= self.target.limit
            case Rule.RATIO_AT_MOST:
                return self.ratio is not None and self.ratio <= self.target.limit
            case Rule.RATIO_AT_LEAST:
                return self.ratio is not None and self.ratio >= self.target.limit

    def to_json(self) -> dict[str, Any]:
        """Everything, for a file."""
        return {
            "name": self.name,
            "title": self.title,
            "unit": self.unit,
            "ours": self.ours,
            "baseline": self.baseline,
            "ratio": self.ratio,
            "target": {"rule": str(self.target.rule), "limit": self.target.limit},
            "met": self.met,
            "note": self.note,
            "flaws": list(self.flaws),
            "samples": {name: list(values) for name, values in self.samples.items()},
        }


def compared(
    name: str,
    title: str,
    unit: str,
    ours: Sequence[float],
    baseline: Sequence[float],
    target: Target,
    *,
    note: str = "",
    flaws: Sequence[str] = (),
) -> Row:
    """A row of medians of interleaved samples."""
    spreads = f"spread {spread(ours):.0%} and {spread(baseline):.0%}, n={len(ours)}"
    return Row(
        name,
        title,
        unit,
        median(ours),
        median(baseline),
        target,
        note="; ".join(part for part in (note, spreads) if part),
        flaws=tuple(flaws),
        samples={"ours": ours, "baseline": baseline},
    )
