"""Followers: PostgreSQL datastores that are read-only copies of another one, kept up to date."""

from dataclasses import dataclass
from enum import StrEnum

# What a leader keeps of its log for a follower that does not fetch it. Beyond that the follower has
# lost its place: it is created again, and the leader's disk does not fill.
KEPT_LOG = "1GB"
# Of a follower: at least what its leader may have (pg:settings), or it stops.
MAX_LOCKS = 1_024
# For the monitor, which has followers created again.
MEND_COMMAND = "followers-mend"


class Place(StrEnum):
    """The state of a follower's replication.

    STREAMING: it receives the leader's changes. WAITING: it does not, or not yet, and continues
    where it was as soon as it can. LOST: the leader no longer has what it needs. UNKNOWN: one of
    the two does not answer.
    """

    STREAMING = "streaming"
    WAITING = "waiting"
    LOST = "lost"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a follower is behind. behind_bytes: of the leader's log; behind_s: in seconds.

    None if unknown, since one of the two does not answer.
    """

    place: Place
    behind_bytes: int | None = None
    behind_s: float | None = None
