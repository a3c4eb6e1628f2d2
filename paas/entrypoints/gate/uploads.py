"""What happens in a child of the gate for an archive that comes over HTTP: it is written to a file.

The process that asks has no rights, and the request no token: it brings the secret of a place,
which somebody was given when their token was verified. The archive comes through a pipe, in place
of the client's standard input. It is whole if the other side still waits when the pipe ends.
"""

import os
import socket
import time
from collections.abc import Callable, Iterator
from typing import Protocol

from paas.adapters.system.disk_faults import disk_fault
from paas.domain.values.errors import PaasError
from paas.domain.values.secret import Secret
from paas.entrypoints.gate import wire
from paas.entrypoints.gate.child import Slot
from paas.entrypoints.gate.refused import RefusedError
from paas.entrypoints.gate.wire import BadRequestError

_SECRET_MAX = 64
_PIECE_BYTES = 65_536
# How often it is asked whether the secret is still good.
LOOK_EVERY_S = 5.0
_STATUS = {"archive-too-large": 413, "upload-busy": 409, "disk-full": 503, "disk-read-only": 503}


class Upload(Protocol):
    """The place that a secret stands for."""

    @property
    def user(self) -> str:
        """Whose it is."""
        ...

    def require(self) -> None:
        """Raises PaasError unless it may still be filled."""

    def receive(self, pieces: Iterator[bytes]) -> int:
        """Write an archive; its size in bytes. Raises PaasError."""
        ...


# Raises PaasError if the secret stands for nothing.
OpenUpload = Callable[[Secret], Upload]


def no_uploads(_secret: Secret) -> Upload:
    """Of a gate without them."""
    raise PaasError("no-such-upload", "There is no such upload.")


def upload_request(raw: object) -> Secret | None:
    """The secret of a request to upload; None if it is one for something else."""
    match raw:
        case {"upload": str() as secret, **others} if not others:
            if len(secret) > _SECRET_MAX:
                raise BadRequestError("The secret is too long.")
            return Secret(secret)
    return None


def take_upload(
    secret: Secret, find: OpenUpload, conn: socket.socket, slot: Slot, fds: list[int]
) -> None:
    """Store what comes through the first descriptor. Raises RefusedError."""
    upload = _admitted(secret, find, slot)
    wire.answer_json(conn, {"upload": "goes"})
    try:
        size_bytes = upload.receive(_pieces(fds[0], conn, upload))
    except (PaasError, OSError) as error:
        known = error if isinstance(error, PaasError) else disk_fault(error)
        if known is None:
            raise
        raise RefusedError(_STATUS.get(known.reference, 404), known.message) from error
    wire.answer_json(conn, {"stored": size_bytes})


def _admitted(secret: Secret, find: OpenUpload, slot: Slot) -> Upload:
    """It counts as a stream: it may take long, and waits for the client."""
    try:
        upload = find(secret)
    except PaasError as error:
        raise RefusedError(404, error.message) from error
    why = slot.enter(upload.user)
    if why is not None:
        raise RefusedError(429, why)
    try:
        slot.wait(is_stream=True)
    except PaasError as error:
        raise RefusedError(429, error.message) from error
    return upload


def _pieces(fd: int, conn: socket.socket, upload: Upload) -> Iterator[bytes]:
    """The archive. Raises BadRequestError if the client leaves before its end."""
    looked = time.monotonic()
    while piece := os.read(fd, _PIECE_BYTES):
        if time.monotonic() - looked >= LOOK_EVERY_S:
            looked = time.monotonic()
            upload.require()
        yield piece
    if wire.client_gone(conn):
        raise BadRequestError("A client left in the middle of its upload.")
