"""Asks the gate for a stream, which its child then writes into a pipe."""

import os
import socket
from dataclasses import dataclass
from pathlib import Path

from paas.entrypoints.web.gate import GateDownError, RefusedError, exchange


@dataclass(frozen=True, slots=True)
class Stream:
    """rows: a pipe, with a line of JSON each. conn: the gate's child ends when it is closed."""

    rows: int
    conn: socket.socket


def open_stream(path: Path, secret: str, after: str) -> Stream:
    """The stream of that secret. Raises GateDownError, or RefusedError with why."""
    read, write = os.pipe2(os.O_CLOEXEC)
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    try:
        conn, answer = exchange(path, {"stream": secret, "after": after}, (null, write, null))
    except GateDownError:
        os.close(read)
        raise
    finally:
        os.close(write)
        os.close(null)
    match answer:
        case {"stream": "runs"}:
            return Stream(read, conn)
    os.close(read)
    conn.close()
    match answer:
        case {"refused": int() as status, "words": str() as words}:
            raise RefusedError(status, words)
    raise GateDownError("It has no place for another request.")
