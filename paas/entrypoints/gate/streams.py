"""What happens in a child of the gate for a stream over HTTP: it writes lines until nobody reads.

The process that asks has no rights, and the request no token: it brings the secret of a capability,
which somebody was given when their token was verified.
"""

import json
import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from paas.domain.values.errors import PaasError
from paas.domain.values.secret import Secret
from paas.entrypoints.gate import wire
from paas.entrypoints.gate.child import Slot
from paas.entrypoints.gate.refused import RefusedError
from paas.entrypoints.gate.wire import BadRequestError

_SECRET_MAX = 64
_MARK_MAX = 200
# How often it is asked whether the secret is still good.
LOOK_EVERY_S = 5.0


@dataclass(frozen=True, slots=True)
class StreamRequest:
    """secret: of a capability. after: the mark of the last line that was read, or empty."""

    secret: Secret
    after: str


class Stream(Protocol):
    """What a secret stands for."""

    @property
    def user(self) -> str:
        """Whose it is."""
        ...

    def is_allowed(self) -> bool:
        """Whether it may still be read; the secret stays good meanwhile."""
        ...

    def rows(self, after: str, stop: Callable[[], bool]) -> Iterator[Sequence[str]]:
        """Its lines: each a mark, time, source, process and text."""
        ...


# Raises PaasError if the secret stands for nothing.
OpenStream = Callable[[Secret], Stream]


def no_streams(_secret: Secret) -> Stream:
    """Of a gate without them."""
    raise PaasError("no-such-stream", "There is no such stream.")


def stream_request(raw: object) -> StreamRequest | None:
    """A request for a stream; None if it is one for something else. Raises BadRequestError."""
    match raw:
        case {"stream": str() as secret, "after": str() as after, **others} if not others:
            if len(secret) > _SECRET_MAX or len(after) > _MARK_MAX:
                raise BadRequestError("The secret or the mark is too long.")
            return StreamRequest(Secret(secret), after)
    return None


def send_stream(
    request: StreamRequest, find: OpenStream, conn: socket.socket, slot: Slot, fds: list[int]
) -> None:
    """Write it into the second descriptor, in lines of JSON. Raises RefusedError."""
    stream = _admitted(request, find, slot)
    wire.answer_json(conn, {"stream": "runs"})
    looked = time.monotonic()
    allowed = True

    def stop() -> bool:
        nonlocal looked, allowed
        if time.monotonic() - looked >= LOOK_EVERY_S:
            looked = time.monotonic()
            allowed = stream.is_allowed()
        return not allowed or wire.client_gone(conn)

    for row in stream.rows(request.after, stop):
        _write_all(fds[1], json.dumps(row).encode() + b"\n")


def _admitted(request: StreamRequest, find: OpenStream, slot: Slot) -> Stream:
    """Streams have no more places for an administrator than for others: one may have thousands."""
    try:
        stream = find(request.secret)
    except PaasError as error:
        raise RefusedError(404, f"{error.message}\n") from error
    why = slot.enter(stream.user)
    if why is not None:
        raise RefusedError(429, f"{why}\n")
    try:
        slot.wait(is_stream=True)
    except PaasError as error:
        raise RefusedError(429, f"{error.message}\n") from error
    return stream


def _write_all(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]
