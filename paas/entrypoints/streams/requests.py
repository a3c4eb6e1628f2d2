"""The requests of the streams process: GET /streams/SECRET, and no others.

The proxy has parsed a request before, and sends each in a connection of its own or after another;
here each connection has one.
"""

import re
from dataclasses import dataclass

HEAD_MAX_BYTES = 16_384
END = b"\r\n\r\n"
_FIRST = re.compile(r"(GET|HEAD) /streams/([A-Za-z0-9_-]{43}) HTTP/1\.[01]")
_MARK = re.compile(r"[0-9.-]{1,200}")


class NothingError(Exception):
    """There is nothing at that path, or not for that method."""


@dataclass(frozen=True, slots=True)
class StreamRequest:
    """events: whether the client takes them. after: the id of the last one that it has."""

    secret: str
    events: bool
    after: str
    address: str
    is_head: bool


def parse(head: bytes) -> StreamRequest:
    """A request, from its head. Raises NothingError."""
    first, *lines = head.decode("latin-1").split("\r\n")
    found = _FIRST.fullmatch(first)
    if found is None:
        raise NothingError
    headers = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip().lower()] = value.strip()
    mark = headers.get("last-event-id", "")
    return StreamRequest(
        secret=found[2],
        events="text/event-stream" in headers.get("accept", ""),
        after=mark if _MARK.fullmatch(mark) else "",
        address=headers.get("x-real-ip", ""),
        is_head=found[1] == "HEAD",
    )
