"""Parts of lists (Heroku's Range, Next-Range and 206): https://devcenter.heroku.com/articles/platform-api-reference#ranges"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import Response, jsonify, request

MAX = 1_000
DEFAULT_MAX = 200
_HEAD = re.compile(r"\s*([a-z_]*)\s*(\]?)([^;,]*?)\s*\.\.\s*([^;,]*?)\s*")
_OPTION = re.compile(r"\s*(max|order)\s*=\s*([0-9a-z]+)\s*")

Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Range:
    """field: of which the list is in order. start, end: inclusive, but for after; empty: open."""

    field: str
    start: str = ""
    end: str = ""
    after: bool = False
    most: int = DEFAULT_MAX
    descends: bool = False


def parse(text: str, fields: Sequence[str]) -> Range:
    """Read a Range header. fields: in which the list can be in order; the first is the usual one.

    What is not understood is ignored, as RFC 9110 has it of units that a server does not know.
    """
    usual = Range(fields[0])
    head, *options = re.split("[;,]", text)
    found = _HEAD.fullmatch(head)
    if found is None or (found[1] and found[1] not in fields):
        return usual
    given = {pair[1]: pair[2] for one in options if (pair := _OPTION.fullmatch(one))}
    most = given.get("max", "")
    return Range(
        field=found[1] or fields[0],
        start=found[3],
        end=found[4],
        after=bool(found[2]),
        most=min(int(most), MAX) if most.isdecimal() and int(most[:9]) else DEFAULT_MAX,
        descends=given.get("order") == "desc",
    )


def part(rows: Sequence[Row], wanted: Range) -> tuple[list[Row], str | None]:
    """The rows that are wanted, and the Range for the next ones, if there are more."""
    ordered = sorted(rows, key=lambda row: _key(row[wanted.field]), reverse=wanted.descends)
    found = [row for row in ordered if _is_within(row[wanted.field], wanted)]
    first = found[: wanted.most]
    if len(first) == len(found):
        return first, None
    last = first[-1][wanted.field]
    order = ", order=desc" if wanted.descends else ""
    return first, f"{wanted.field} ]{last}..{wanted.end}; max={wanted.most}{order}"


def listed(rows: Sequence[Row], *fields: str) -> Response:
    """The answer with a list, or the part of it that the request asks for."""
    wanted = parse(request.headers.get("Range", ""), fields)
    found, following = part(rows, wanted)
    answer = jsonify(found)
    answer.headers["Accept-Ranges"] = ", ".join(fields)
    if following is not None:
        answer.status_code = 206
        answer.headers["Next-Range"] = following
    return answer


def _key(value: object) -> tuple[bool, int, str]:
    """Numbers before texts, each in their own order."""
    if isinstance(value, int):
        return False, value, ""
    return True, 0, str(value)


def _is_within(value: object, wanted: Range) -> bool:
    """Whether a row is between start and end, as the list goes."""
    start, end = (_bound(text, value) for text in (wanted.start, wanted.end))
    key = _key(value)
    if wanted.descends:
        start, end = end, start
    above = start is None or key >= start
    below = end is None or key <= end
    excluded = wanted.after and key == _bound(wanted.start, value)
    return above and below and not excluded


def _bound(text: str, like: object) -> tuple[bool, int, str] | None:
    if not text:
        return None
    if isinstance(like, int):
        return _key(int(text)) if re.fullmatch("[0-9]{1,15}", text) else None
    return _key(text)
