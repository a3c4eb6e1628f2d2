"""What the server's database does not know, and the copies of that."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

NOT_IN_STORE = "The database does not know it."


@dataclass(frozen=True, slots=True)
class TrashItem:
    """One thing in the trash.

    id: the name of its folder there. what: in words (``app 7``). origins: where each part of it
    was. why: a sentence.
    """

    id: str
    what: str
    origins: tuple[str, ...]
    at: datetime
    why: str


@dataclass(frozen=True, slots=True)
class StoreCopy:
    """A copy of the store. apps: how many it knows. fault: why it cannot be used, or None."""

    path: Path
    at: datetime
    apps: int
    fault: str | None


@dataclass(frozen=True, slots=True)
class Access:
    """What a store lets in: a user in a role, and their keys' fingerprints."""

    user: str
    role: str
    keys: frozenset[str]
