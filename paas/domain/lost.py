"""What was found on the server's disk though its database does not know it."""

from dataclasses import dataclass
from datetime import datetime

NOT_IN_STORE = "The database does not know it."


@dataclass(frozen=True, slots=True)
class Lost:
    """One thing in the trash.

    id: the name of its folder there. what: in words (``app 7``). whence: where each part of it
    was. why: a sentence.
    """

    id: str
    what: str
    whence: tuple[str, ...]
    at: datetime
    why: str
