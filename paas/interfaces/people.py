"""What is recorded of people beside the store."""

from datetime import datetime
from typing import Protocol

from paas.domain.people.uses import Use


class LastUses(Protocol):
    """When, and from where, each SSH key or token was last used. What a crash loses is not missed.

    id: the key's fingerprint, or the token's prefix.
    """

    def note(self, id: str, use: Use) -> None:
        """Record a use, unless one is recorded in the minute before. Never raises an error."""

    def last(self, id: str) -> Use | None:
        """The last use that is recorded."""

    def since(self) -> datetime | None:
        """Since when uses are recorded; None if none has been yet."""

    def forget(self, id: str) -> None:
        """Remove what is recorded of it."""
