"""A webhook that came to the web process: its request to the gate, and the answer.

The body comes as a file in memory, in place of the client's standard input. Nothing of it is
believed before it was verified with the app's secret, which the web process never sees.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from paas.domain.git.webhooks import BODY_MAX_BYTES, HEADER_MAX, HEADERS, ID_CHARACTERS
from paas.entrypoints.gate.wire import BadRequestError

_ID = re.compile(rf"[A-Za-z0-9]{{1,{ID_CHARACTERS}}}")


@dataclass(frozen=True, slots=True)
class HookRequest:
    """A webhook. headers: those that git servers sign with, by lower-case names."""

    id: str
    headers: Mapping[str, str]
    address: str


# Answers with a status of HTTP and a sentence.
Answer = Callable[[int, str], None]
# Handles a webhook with its body. The last one begins a command of a user: why it has to wait.
Deliver = Callable[[HookRequest, bytes, Answer, Callable[[str], str | None]], None]


def parse(raw: object) -> HookRequest:
    """Validate a request's JSON. Raises BadRequestError."""
    match raw:
        case {
            "hook": str() as id,
            "headers": dict() as headers,
            "address": str() as address,
            **others,
        } if not others and _ID.fullmatch(id):
            pass
        case _:
            raise BadRequestError("The request lacks a field or has one of a wrong type.")
    for name, value in headers.items():
        if name not in HEADERS or not isinstance(value, str) or len(value) > HEADER_MAX:
            raise BadRequestError("A webhook has no such header.")
    return HookRequest(id, headers, address)


def read_body(fd: int) -> bytes:
    """The body, from its begin. Raises BadRequestError if it is too large."""
    size = os.fstat(fd).st_size
    if size > BODY_MAX_BYTES:
        raise BadRequestError("A webhook is not that large.")
    return os.pread(fd, size, 0)
