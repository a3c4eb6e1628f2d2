"""Ids as UUIDs: what has a number carries it in its UUID, so that nothing has to be looked up.

These are of version 8 (RFC 9562, 5.8): a hash of the noun, and two numbers of 31 bits. What is
known by a name alone has one of version 5.
"""

import hashlib
from collections.abc import Sequence
from functools import cache
from uuid import UUID, uuid5

from paas.entrypoints.web.heroku.errors import not_found

_SPACE = UUID("6f1f7f56-6d0c-4c62-9d0e-7061617300ff")
_NUMBER_BITS = 31
_NUMBER_MASK = 2**_NUMBER_BITS - 1


@cache
def _prefix(noun: str) -> int:
    """The 60 bits of a noun."""
    return int.from_bytes(hashlib.sha256(noun.encode()).digest()[:8]) >> 4


def numbered(noun: str, number: int, second: int = 0) -> str:
    """The UUID of what has one number, or two, such as a release of an app."""
    high, low = _prefix(noun) >> 12, _prefix(noun) & 0xFFF
    numbers = ((number & _NUMBER_MASK) << _NUMBER_BITS) | (second & _NUMBER_MASK)
    return str(UUID(int=(high << 80) | (0x8 << 76) | (low << 64) | (0b10 << 62) | numbers))


def numbers(noun: str, text: str) -> tuple[int, int] | None:
    """The numbers in a UUID; None if it is not one of that noun."""
    try:
        found = UUID(text).int & (2**62 - 1)
    except ValueError:
        return None
    pair = found >> _NUMBER_BITS, found & _NUMBER_MASK
    return pair if numbered(noun, *pair) == str(UUID(text)) else None


def named(noun: str, name: str) -> str:
    """The UUID of what has a name that never changes."""
    return str(uuid5(_SPACE, f"{noun}:{name}"))


def is_one(text: str) -> bool:
    """Whether it is a UUID, and not a name."""
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def one_of(
    rows: Sequence[dict[str, object]], text: str, resource: str, *fields: str
) -> dict[str, object]:
    """The row that has this text in one of the fields. Raises ApiError."""
    for row in rows:
        if text in [row[field] for field in fields]:
            return row
    raise not_found(resource)


def app(text: str) -> str | int:
    """An app as a client names it: its name, or the number in its UUID."""
    found = numbers("app", text)
    return text if found is None else found[0]
