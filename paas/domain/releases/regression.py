"""Whether a release that just went live does worse than the one before it."""

from dataclasses import dataclass
from datetime import datetime

# Fewer errors than this mean nothing.
ERRORS_MIN = 5
# How much larger the share of errors must be: a fifth of all answers, and twice what it was.
SHARE_MORE = 0.2
SHARE_TIMES = 2.0


@dataclass(frozen=True, slots=True)
class Answers:
    """How many requests were answered, and how many of them with 5xx."""

    count: int = 0
    errors: int = 0

    @property
    def share(self) -> float:
        """The share of errors."""
        return self.errors / self.count if self.count else 0.0


@dataclass(frozen=True, slots=True)
class Baseline:
    """What the release before did, up to at. exits: how often its instances had ended."""

    at: datetime
    answers: Answers
    exits: int


def worse(old: Baseline, new: Answers, crashed: str | None) -> str | None:
    """Why the new release should be rolled back, as the end of a sentence, or None.

    crashed: how an instance ended, in words such as ``web.1 exited with status 1``.
    """
    if crashed is not None and old.exits == 0:
        return crashed
    limit = max(old.answers.share + SHARE_MORE, old.answers.share * SHARE_TIMES)
    if new.errors >= ERRORS_MIN and new.share >= limit:
        return f"{new.errors} of {new.count} requests were answered with 5xx"
    return None
