"""Measures two things alternately, so that a slow minute of the machine affects both."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from benchmarks.quiet import wait_for_quiet

Sample = TypeVar("Sample")


@dataclass(frozen=True, slots=True)
class Samples(Generic[Sample]):
    """The samples, in the order of the rounds."""

    ours: list[Sample] = field(default_factory=list)
    plain: list[Sample] = field(default_factory=list)


def alternately(
    rounds: int, ours: Callable[[], Sample], plain: Callable[[], Sample]
) -> Samples[Sample]:
    """Measure both once as a warm-up, then so many times each, in alternating order."""
    ours()
    plain()
    found: Samples[Sample] = Samples()
    for number in range(rounds):
        wait_for_quiet()
        if number % 2:
            found.ours.append(ours())
            found.plain.append(plain())
        else:
            found.plain.append(plain())
            found.ours.append(ours())
    return found
