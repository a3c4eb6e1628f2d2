"""When, and from where, a key or a token was last used."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Use:
    """A use. address: the client's, if it is known."""

    at: datetime
    address: str | None


@dataclass(frozen=True, slots=True)
class LastUse:
    """The last use. use: None if none is recorded.

    not_since: then, since when it has not been used; None for what has never been used.
    """

    use: Use | None
    not_since: datetime | None = None
