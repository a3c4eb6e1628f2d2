"""How finely metrics are kept, and for how long: the finer, the shorter."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Resolution:
    """So many slots of so many seconds each; a new one takes the place of the oldest."""

    step_s: int
    slots: int

    @property
    def kept_s(self) -> int:
        """How far back it goes."""
        return self.step_s * self.slots

    def begin(self, at_s: float) -> int:
        """The Unix time at which the slot of a time begins."""
        return int(at_s) // self.step_s * self.step_s


# 2 hours, 24 hours, 30 days.
RESOLUTIONS = (Resolution(10, 720), Resolution(60, 1_440), Resolution(600, 4_320))
FINEST = RESOLUTIONS[0]
KEPT_S = RESOLUTIONS[-1].kept_s


def resolution_for(since_s: int) -> Resolution:
    """The finest one that goes back so far."""
    return next((one for one in RESOLUTIONS if one.kept_s >= since_s), RESOLUTIONS[-1])
