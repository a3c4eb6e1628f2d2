"""Lines of the audit trail: JSON objects, each of which names the one before it by its hash.

``hash`` is SHA-256 over ``prev`` (in hexadecimal), a newline, and the canonical JSON of all other
fields: keys sorted, no blanks, ASCII only. So a line that is changed, removed or added later breaks
the chain from there on.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Fields = Mapping[str, object]
_CHAIN = ("prev", "hash")


class DamagedLineError(ValueError):
    """A line that was not written like this; the message says why."""


@dataclass(frozen=True, slots=True)
class Link:
    """What the next line follows: the number and the hash of the line before it."""

    n: int
    hash: str


START = Link(0, "0" * 64)


@dataclass(frozen=True, slots=True)
class Line:
    """A line as it was read. prev: the hash of the line before it."""

    n: int
    prev: str
    hash: str
    fields: Fields

    @property
    def link(self) -> Link:
        """What the next line follows."""
        return Link(self.n, self.hash)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check found. lines: how many are whole, up to the first wrong one.

    place: where that is, as ``2026-11.jsonl, line 7``, or None. why: what is wrong there.
    """

    lines: int
    place: str | None = None
    why: str = ""


def seal(after: Link, fields: Fields) -> tuple[bytes, Link]:
    """The line with these fields that follows another one, without its newline; and its link."""
    own = {**fields, "n": after.n + 1}
    link = Link(after.n + 1, _hash(after.hash, own))
    return _canonical({**own, "prev": after.hash, "hash": link.hash}), link


def read_line(raw: bytes) -> Line:
    """A line without its newline. Raises DamagedLineError if it is not as it was written."""
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise DamagedLineError("it is not JSON") from error
    match found:
        case {"n": int() as n, "prev": str() as prev, "hash": str() as own_hash}:
            pass
        case _:
            raise DamagedLineError("it has no n, prev and hash")
    fields = {key: value for key, value in found.items() if key not in _CHAIN}
    if _hash(prev, fields) != own_hash or _canonical(found) != raw:
        raise DamagedLineError("it was changed after it was written")
    return Line(n, prev, own_hash, fields)


def follow_on(tail: Iterable[bytes]) -> Link:
    """What the next line follows. tail: the last lines, newest first.

    A damaged line is followed, too, by the hash of what it is now: what happens is recorded
    whatever has happened to the files, and a check finds the damage.
    """
    damaged: list[bytes] = []
    for raw in tail:
        try:
            line = read_line(raw)
        except DamagedLineError:
            damaged.append(raw)
            continue
        if not damaged:
            return line.link
        return Link(line.n + len(damaged), hashlib.sha256(damaged[0]).hexdigest())
    if not damaged:
        return START
    return Link(len(damaged), hashlib.sha256(damaged[0]).hexdigest())


def check(placed: Iterable[tuple[str, bytes]]) -> Verdict:
    """Check the chain of lines, oldest first, each with its place. The first one anchors it."""
    before: Link | None = None
    count = 0
    for place, raw in placed:
        try:
            line = read_line(raw)
        except DamagedLineError as error:
            return Verdict(count, place, str(error))
        if before is not None and line.n != before.n + 1:
            return Verdict(count, place, f"line n {before.n} is followed by n {line.n}")
        if before is not None and line.prev != before.hash:
            return Verdict(count, place, "it does not follow the line before it")
        before, count = line.link, count + 1
    return Verdict(count)


def _hash(prev: str, fields: Fields) -> str:
    return hashlib.sha256(prev.encode() + b"\n" + _canonical(fields)).hexdigest()


def _canonical(fields: Fields) -> bytes:
    return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()
