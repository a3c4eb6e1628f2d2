"""The web process's half of the gate protocol; the other half is entrypoints/gate/web.py."""

import json
import os
import socket
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import RawIOBase
from pathlib import Path
from typing import Any

_HEADER = struct.Struct("!I")
_CONNECT_LIMIT_S = 5.0
# The gate answers once it has looked at the token and the app. Heroku's CLI waits for 60 s.
_ANSWER_LIMIT_S = 55.0


class GateDownError(Exception):
    """The gate does not answer, or has no place for another request."""


class RefusedError(Exception):
    """What the gate does not do. status: of HTTP. words: for a person to read."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status
        self.words = words


class FailedError(Exception):
    """An operation that ended with an error. reference, exit_code: of the PaasError."""

    def __init__(self, reference: str, exit_code: int, message: str, hint: str | None) -> None:
        super().__init__(message)
        self.reference = reference
        self.exit_code = exit_code
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Value:
    """What an operation answered, with what the user should know beside it."""

    value: Any
    warnings: list[str]


class Running:
    """What the gate has begun for a request."""

    def __init__(self, conn: socket.socket) -> None:
        self._conn = conn

    def wait(self) -> int | None:
        """Its exit status, once it has ended; None if the gate was ended before."""
        self._conn.settimeout(None)
        try:
            status = _receive(self._conn).get("exit")
        except (OSError, ValueError):
            return None
        return status if isinstance(status, int) else None

    def close(self) -> None:
        """Nobody waits for its end any longer."""
        self._conn.close()


def ask(path: Path, request: Mapping[str, str], descriptors: tuple[int, int, int]) -> Running:
    """Have git started. descriptors: what it reads from and writes to.

    Raises GateDownError, or RefusedError with why.
    """
    conn, answer = exchange(path, request, descriptors)
    match answer:
        case {"git": "runs"}:
            return Running(conn)
        case {"refused": int() as status, "words": str() as words}:
            conn.close()
            raise RefusedError(status, words)
    conn.close()
    raise GateDownError("It has no place for another request.")


def operate(
    path: Path, request: Mapping[str, object], descriptors: tuple[int, int, int] | None = None
) -> Value:
    """The value of an operation. descriptors: of its stream, if it has one.

    Raises GateDownError, or FailedError.
    """
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    try:
        conn, answer = exchange(path, request, descriptors or (null, null, null))
    finally:
        os.close(null)
    conn.close()
    match answer:
        case {"value": value, "warnings": list() as warnings}:
            return Value(value, warnings)
        case {
            "error": {
                "reference": str() as reference,
                "exit": int() as exit_code,
                "message": str() as message,
                "hint": (str() | None) as hint,
            }
        }:
            raise FailedError(reference, exit_code, message, hint)
    raise GateDownError("It has no place for another request.")


def deliver(path: Path, request: Mapping[str, object], body: bytes) -> tuple[int, str]:
    """The answer to a webhook: a status of HTTP, and words. Raises GateDownError."""
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    file = os.memfd_create("webhook", os.MFD_CLOEXEC)
    try:
        os.write(file, body)
        conn, answer = exchange(path, request, (file, null, null))
    finally:
        os.close(file)
        os.close(null)
    conn.close()
    match answer:
        case {"hook": int() as status, "words": str() as words}:
            return status, words
    raise GateDownError("It has no place for another request.")


def store(path: Path, secret: str, pieces: Iterator[bytes]) -> None:
    """Have an archive stored. Raises GateDownError, RefusedError with why, or what pieces raises.

    The connection is closed before the pipe if something is missing: that is how the gate knows.
    """
    read, write = os.pipe2(os.O_CLOEXEC)
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    with os.fdopen(write, "wb", buffering=0) as pipe:
        try:
            conn, answer = exchange(path, {"upload": secret}, (read, null, null))
        finally:
            os.close(read)
            os.close(null)
        with conn:
            if answer == {"upload": "goes"}:
                answer = _sent(conn, pipe, pieces)
    match answer:
        case {"stored": int()}:
            return
        case {"refused": int() as status, "words": str() as words}:
            raise RefusedError(status, words)
    raise GateDownError("It has no place for another request.")


def _sent(conn: socket.socket, pipe: RawIOBase, pieces: Iterator[bytes]) -> dict[str, object]:
    """The answer after all pieces. Raises GateDownError."""
    try:
        for piece in pieces:
            left = memoryview(piece)
            while left:
                left = left[pipe.write(left) or 0 :]
    except BrokenPipeError:
        pass  # its answer says why it reads no more
    pipe.close()
    try:
        conn.settimeout(_ANSWER_LIMIT_S)
        return _receive(conn)
    except (OSError, ValueError) as error:
        raise GateDownError(str(error)) from error


def exchange(
    path: Path, request: Mapping[str, object], descriptors: tuple[int, int, int]
) -> tuple[socket.socket, dict[str, object]]:
    """Send a request: the open connection and the first answer. Raises GateDownError."""
    body = json.dumps(request).encode()
    conn = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        conn.settimeout(_CONNECT_LIMIT_S)
        conn.connect(str(path))
        data = _HEADER.pack(len(body)) + body
        sent = socket.send_fds(conn, [data], list(descriptors))
        if sent < len(data):  # sending nothing fails, if the gate has answered and left already
            conn.sendall(data[sent:])
        conn.settimeout(_ANSWER_LIMIT_S)
        answer = _receive(conn)
    except (OSError, ValueError) as error:
        conn.close()
        raise GateDownError(str(error)) from error
    return conn, answer


def _receive(conn: socket.socket) -> dict[str, object]:
    """The next answer. Raises OSError if none comes, ValueError if it is none."""
    (size,) = _HEADER.unpack(_receive_bytes(conn, _HEADER.size))
    answer = json.loads(_receive_bytes(conn, size))
    return answer if isinstance(answer, dict) else {}


def _receive_bytes(conn: socket.socket, count: int) -> bytes:
    parts = b""
    while len(parts) < count:
        part = conn.recv(count - len(parts))
        if not part:
            raise ConnectionResetError("The gate ended before it answered.")
        parts += part
    return parts
